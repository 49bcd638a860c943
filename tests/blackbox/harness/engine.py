"""The container engine, seen from outside: by the `docker` command, each call with a deadline.

The command gets an empty configuration, so that neither a selected context nor stored logins of
the machine play a part: it talks to the engine that the server under test would take.
"""

import json
import os
import subprocess
import tempfile
from typing import Any

DEFAULT_HOST = "unix:///var/run/docker.sock"
NODE_LABEL = "longshore.node"


class EngineError(RuntimeError):
    """A `docker` command failed; the message holds the command and what it wrote."""


def host() -> str:
    """The engine's address, as DOCKER_HOST writes it."""
    return os.environ.get("DOCKER_HOST") or DEFAULT_HOST


def socket_path() -> str:
    """The engine's unix socket; RuntimeError when it is reached in another way."""
    if not host().startswith("unix://"):
        raise RuntimeError(f"the tests need an engine on a unix socket, not {host()}")
    return host().removeprefix("unix://")


def docker(*args: str, deadline: float = 60.0, stdin: bytes = b"") -> str:
    """Runs `docker ARGS` and returns its standard output without the last line break.

    EngineError when it fails or takes longer than `deadline` seconds.
    """
    with tempfile.TemporaryDirectory(prefix="longshore-docker-config-") as config:
        command = ["docker", "--host", host(), "--config", config, *args]
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, timeout=deadline, check=False
            )
        except subprocess.TimeoutExpired as e:
            raise EngineError(f"docker {' '.join(args)}: no end within {deadline:g} s") from e
    if done.returncode != 0:
        text = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise EngineError(f"docker {' '.join(args)}: exit code {done.returncode}: {text}")
    return done.stdout.decode(errors="replace").rstrip("\n")


def containers(*filters: str) -> list[dict[str, Any]]:
    """`docker inspect` of all containers, running or not, that match every filter.

    A filter is written as `docker ps --filter` takes it, e.g. `label=longshore.node=<id>`.
    """
    args = [a for f in filters for a in ("--filter", f)]
    ids = docker("ps", "--all", "--quiet", "--no-trunc", *args).split()
    found = []
    for container_id in ids:
        # One by one: a container that goes away in between is no error.
        try:
            found += json.loads(docker("inspect", "--type", "container", container_id))
        except EngineError as e:
            if "No such container" not in str(e):
                raise
    return found


def containers_of_node(node_id: str) -> list[dict[str, Any]]:
    """`docker inspect` of the containers that the node of this id made."""
    return containers(f"label={NODE_LABEL}={node_id}")


def remove_node(node_id: str) -> None:
    """Removes every container and network that the node of this id made.

    Containers whose removal fails because somebody is removing them are left to him.
    """
    ids = docker("ps", "-aq", "--no-trunc", "--filter", f"label={NODE_LABEL}={node_id}").split()
    if ids:
        try:
            docker("rm", "--force", "--volumes", *ids, deadline=120)
        except EngineError as e:
            if "No such container" not in str(e) and "already in progress" not in str(e):
                raise
    for name in networks_of_node(node_id):
        # By id: a create that was in flight at a kill can leave a twin of the same name.
        found = docker("network", "ls", "-q", "--no-trunc", "--filter", f"name=^{name}$")
        for network in found.split():
            docker("network", "rm", network)


def networks_of_node(node_id: str) -> list[str]:
    """The names of the networks that carry the node's label or its id in their name."""
    labelled = docker(
        "network", "ls", "--filter", f"label={NODE_LABEL}={node_id}", "--format", "{{.Name}}"
    ).split()
    named = docker("network", "ls", "--filter", "name=longshore-", "--format", "{{.Name}}").split()
    return sorted({*labelled, *(n for n in named if node_id in n)})


def published_ports(container: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    """The bound host ports of an inspected container, by `port/protocol`."""
    ports = container["NetworkSettings"]["Ports"] or {}
    return {port: bound for port, bound in ports.items() if bound}
