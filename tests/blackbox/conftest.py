"""Fixtures of the black-box tests: the engine and its images, registries, servers, a proxy.

Tests run in several processes: a session's fixture is made once in each of them, and none of
them shares a port, a folder or a node id with another.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from harness import clients, images
from harness.engine_proxy import EngineProxy
from harness.registry import HangingRegistry, Registry
from harness.server import Server

_SERVERS = pytest.StashKey[list[Server]]()

clients.forget_machine_configuration()


class StartServer(Protocol):
    """Makes and starts a server; the options are those of `Server`, `start=False` leaves it off."""

    def __call__(self, *, start: bool = True, **options: Any) -> Server: ...


@pytest.fixture
def start_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StartServer]:
    """Starts any number of servers. At the end each must still run, stop on SIGTERM with exit
    code 0 and have logged no panic; its containers and networks are removed."""
    servers = request.node.stash.setdefault(_SERVERS, [])

    def start_one(*, start: bool = True, **options: Any) -> Server:
        server = Server(tmp_path / f"server-{len(servers) + 1}", **options)
        servers.append(server)
        return server.start() if start else server

    yield start_one
    problems = []
    for server in reversed(servers):
        try:
            server.close()
        except Exception as e:  # noqa: BLE001 - the other servers are closed all the same
            problems.append(e)
    if problems:
        raise problems[0]


@pytest.fixture
def server(start_server: StartServer, busybox: str) -> Server:
    """A server with real containers; the test image is on its engine."""
    return start_server()


@pytest.fixture
def simulated_server(start_server: StartServer) -> Server:
    """A server without containers."""
    return start_server(engine_kind="simulated")


@pytest.fixture
def engine_proxy() -> Iterator[EngineProxy]:
    """A proxy in front of the engine; ask for it before `start_server`, so that it closes last."""
    with EngineProxy() as proxy:
        yield proxy


@pytest.fixture(scope="session")
def busybox() -> str:
    """The name of the test image, which the engine has and nobody can pull."""
    return images.ensure_busybox()


@pytest.fixture
def registry(tmp_path: Path, busybox: str) -> Iterator[Registry]:
    """An empty registry that runs; `registry.push(busybox, "name")` fills it."""
    registry = Registry(tmp_path / "registry")
    try:
        yield registry.start()
    finally:
        registry.close()


@pytest.fixture
def hanging_registry() -> Iterator[HangingRegistry]:
    """A registry that accepts connections and never answers."""
    registry = HangingRegistry()
    try:
        yield registry
    finally:
        registry.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Puts the end of each server's log into the report of a failed test."""
    report = yield
    if report.failed:
        for server in item.stash.get(_SERVERS, []):
            report.sections.append((f"longshore on port {server.port}", server.log_tail(200)))
    return report
