"""Tasks in real containers: definitions of the test image, and what the engine says of a task."""

import http.client
import shlex
from typing import Any

from . import engine
from .images import BUSYBOX
from .wait import wait_until

TASK_LABEL = "com.amazonaws.ecs.task-arn"
NAME_LABEL = "com.amazonaws.ecs.container-name"
FOREVER = "while :; do sleep 0.1; done"
"""Ends at once on SIGTERM when a trap says so; a shell alone ignores it as process 1."""


def shell(script: str, name: str = "main", **members: Any) -> dict[str, Any]:
    """A container that runs a shell script in the test image."""
    defaults = {"image": BUSYBOX, "memory": 32, "stopTimeout": 2}
    return {"name": name, "entryPoint": ["sh", "-c"], "command": [script], **defaults, **members}


def forever(name: str = "main", on_term: str = "exit 0", **members: Any) -> dict[str, Any]:
    """A container that runs until SIGTERM."""
    return shell(f"trap {shlex.quote(on_term)} TERM; {FOREVER}", name, **members)


def web(text: str, port: int = 8000, name: str = "main", **members: Any) -> dict[str, Any]:
    """A container that serves a text over HTTP until SIGTERM."""
    serve = f"echo {shlex.quote(text)} > /tmp/index.html; httpd -f -p {port} -h /tmp & "
    return shell(f"{serve} trap 'exit 0' TERM; {FOREVER}", name, **members)


def of_task(task_arn: str) -> dict[str, dict[str, Any]]:
    """`docker inspect` of a task's containers by their name in it; AssertionError if doubled."""
    found = engine.containers(f"label={TASK_LABEL}={task_arn}")
    names = [one["Config"]["Labels"][NAME_LABEL] for one in found]
    assert len(set(names)) == len(names), f"doubled containers: {names}"
    return dict(zip(names, found, strict=True))


def fetch(address: str, port: int, deadline: float = 20.0) -> str:
    """The page at an address once it is served, without its line break."""

    def get() -> str:
        connection = http.client.HTTPConnection(address, port, timeout=5)
        try:
            connection.request("GET", "/")
            response = connection.getresponse()
            return response.read().decode().strip() if response.status == 200 else ""
        finally:
            connection.close()

    failures = (OSError, http.client.HTTPException)
    return wait_until(get, deadline, f"http://{address}:{port}", tolerate=failures)
