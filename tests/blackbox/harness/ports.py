"""Free TCP ports on loopback that stay free until they are used.

They come from 20000-31999, below the kernel's range for outgoing connections and for Longshore's
dynamic host ports, so that nobody takes a port between its choice and its use, or while a server
is down between a kill and its restart.
"""

import random
import socket

FIRST, LAST = 20000, 31999
_random = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens; never the same twice in one process."""
    for _ in range(200):
        port = _random.randint(FIRST, LAST)
        if port in _given:
            continue
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError(f"no free port found between {FIRST} and {LAST}")
