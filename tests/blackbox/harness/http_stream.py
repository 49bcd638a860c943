"""Just enough HTTP/1.1 to pass messages on unchanged and to know where each of them ends."""

import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

_CHUNK = 64 * 1024
_HEAD_LIMIT = 256 * 1024


class PeerClosed(ConnectionError):
    """One side closed the connection."""


@dataclass(frozen=True)
class Head:
    """The start line and the headers of a message; `raw` is what came in, byte by byte."""

    raw: bytes
    start: tuple[str, str, str]
    headers: dict[str, str]

    @classmethod
    def parse(cls, raw: bytes) -> "Head":
        """Reads a complete head; ValueError when it is none."""
        lines = raw.decode("latin-1").split("\r\n")
        start = (lines[0].split(" ", 2) + ["", ""])[:3]
        if len(lines[0].split(" ")) < 2:
            raise ValueError(f"not an HTTP start line: {lines[0]!r}")
        headers = {}
        for line in lines[1:]:
            if line:
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
        return cls(raw, (start[0], start[1], start[2]), headers)

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def length(self) -> int | None:
        """The announced length of the body, in bytes."""
        value = self.headers.get("content-length")
        return None if value is None else int(value)

    @property
    def closes(self) -> bool:
        """Whether the sender closes the connection after this message."""
        return "close" in self.headers.get("connection", "").lower()

    @property
    def upgrades(self) -> bool:
        """Whether a request asks to turn the connection into something else."""
        return "upgrade" in self.headers.get("connection", "").lower()


class Sink(Protocol):
    """Where relayed bytes go: a socket, or `Discard`."""

    def sendall(self, data: bytes, /) -> None:
        """Takes all the bytes."""


class Discard:
    """Takes bytes and forgets them."""

    def sendall(self, data: bytes, /) -> None:
        """Forgets them."""


class Stream:
    """The receiving half of a unix socket, with a buffer.

    While it waits for bytes it also watches `other`, the socket at the far end of the proxy: when
    that one's peer is gone, or `stopped()` turns true, waiting ends with PeerClosed.
    """

    def __init__(self, sock: socket.socket, stopped: Callable[[], bool]) -> None:
        self.sock = sock
        self._stopped = stopped
        self._buffer = b""

    def read_head(self, other: socket.socket | None) -> Head:
        """The next message's head."""
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > _HEAD_LIMIT:
                raise ValueError("a head that does not end")
            self._fill(other)
        raw, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return Head.parse(raw + b"\r\n\r\n")

    def relay_length(self, length: int, to: Sink, other: socket.socket | None) -> None:
        """Passes on exactly so many bytes."""
        while length > 0:
            if not self._buffer:
                self._fill(other)
            part, self._buffer = self._buffer[:length], self._buffer[length:]
            length -= len(part)
            to.sendall(part)

    def relay_chunks(self, to: Sink, other: socket.socket | None) -> None:
        """Passes on a chunked body, each piece as soon as it is there."""
        while True:
            line = self._line(other)
            to.sendall(line)
            size = int(line.split(b";")[0].strip() or b"0", 16)
            if size == 0:
                break
            self.relay_length(size + 2, to, other)
        while True:
            line = self._line(other)
            to.sendall(line)
            if line == b"\r\n":
                return

    def relay_to_end(self, to: Sink, other: socket.socket | None) -> None:
        """Passes on everything until the sender closes."""
        while True:
            if self._buffer:
                to.sendall(self._buffer)
                self._buffer = b""
            try:
                self._fill(other)
            except PeerClosed:
                return

    def take_buffer(self) -> bytes:
        """What was received and not passed on yet."""
        buffer, self._buffer = self._buffer, b""
        return buffer

    def _line(self, other: socket.socket | None) -> bytes:
        while b"\r\n" not in self._buffer:
            self._fill(other)
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line + b"\r\n"

    def _fill(self, other: socket.socket | None) -> None:
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        if other:
            poll.register(other, 0)
        while not self._stopped():
            ready = dict(poll.poll(100))
            if self.sock.fileno() in ready:
                data = self.sock.recv(_CHUNK)
                if not data:
                    raise PeerClosed("closed by the sender")
                self._buffer += data
                return
            if ready:
                raise PeerClosed("closed by the receiver")
        raise PeerClosed("the proxy is closed")


def is_gone(sock: socket.socket) -> bool:
    """Whether a unix socket or its peer is closed, even if sent bytes still wait here."""
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, 0)
    return bool(poll.poll(0))


def splice(a: Stream, b: Stream, stopped: Callable[[], bool]) -> None:
    """Passes bytes both ways until both sides have ended, or one is gone."""
    b.sock.sendall(a.take_buffer())
    a.sock.sendall(b.take_buffer())
    towards = {a.sock: b.sock, b.sock: a.sock}
    while towards and not stopped():
        ready, _, _ = select.select(list(towards), [], [], 0.1)
        for sock in ready:
            data = sock.recv(_CHUNK)
            if data:
                towards[sock].sendall(data)
            else:
                try:
                    towards.pop(sock).shutdown(socket.SHUT_WR)
                except OSError:
                    return
