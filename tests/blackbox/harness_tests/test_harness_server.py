"""The Server class, on a stand-in for the binary."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import engine, wire
from harness.server import Server, ServerFailed
from harness.wait import wait_until

COMMAND = [sys.executable, str(Path(__file__).with_name("fake_server.py"))]
NewServer = Callable[..., Server]


@pytest.fixture
def new_server(tmp_path: Path, request: pytest.FixtureRequest) -> NewServer:
    """Makes servers of the stand-in that do not outlive the test."""

    def make(*options: str, **settings: str) -> Server:
        kind = settings.get("engine_kind", "simulated")
        server = Server(tmp_path, engine_kind=kind, command=COMMAND, options=options)
        request.addfinalizer(server.kill9)
        return server

    return make


def test_a_restart_keeps_the_data_directory_and_the_port(new_server: NewServer) -> None:
    server = new_server().start()
    first_pid, node_id, endpoint = server.pid, server.node_id, server.endpoint
    server.restart()
    assert server.pid != first_pid
    assert (server.node_id, server.endpoint) == (node_id, endpoint)
    server.kill9()
    assert not server.is_running
    server.start()
    assert server.node_id == node_id
    server.close()
    assert not server.is_running


def test_an_end_before_ready_fails_with_the_log(new_server: NewServer) -> None:
    with pytest.raises(ServerFailed, match="exit code 1 before it was ready\nno listening today"):
        new_server("--die").start()


def test_an_end_by_itself_fails_the_close(new_server: NewServer) -> None:
    server = new_server().start()
    with pytest.raises(OSError):
        wire.request(server.endpoint, "GET", "/die")
    wait_until(lambda: not server.is_running, 10, "the end of the process")
    with pytest.raises(ServerFailed, match="ended by itself with exit code 3"):
        server.close()


def test_a_panic_in_the_log_fails_the_close(new_server: NewServer) -> None:
    server = new_server("--panic").start()
    with pytest.raises(ServerFailed, match="it panicked"):
        server.close()


def test_a_server_that_ignores_sigterm_is_killed_and_fails_the_close(new_server: NewServer) -> None:
    server = new_server("--deaf").start()
    pid = server.pid
    with pytest.raises(ServerFailed, match="no end within 1 s of SIGTERM"):
        server.stop(deadline=1)
    assert not Path(f"/proc/{pid}").exists()


def test_close_removes_the_containers_and_networks_of_this_node_only(
    new_server: NewServer, busybox: str, tmp_path: Path
) -> None:
    server = new_server(engine_kind="docker").start()
    other = Server(tmp_path / "other", engine_kind="docker", command=COMMAND).start()
    for node in (server, other):
        label = f"{engine.NODE_LABEL}={node.node_id}"
        engine.docker("network", "create", "--label", label, f"longshore-{node.node_id[:12]}")
        engine.docker("run", "-d", "--label", label, "--network", "none", busybox, "sleep", "600")
    try:
        assert len(server.containers()) == 1
        server.close()
        assert server.containers() == []
        assert engine.networks_of_node(server.node_id) == []
        assert len(other.containers()) == 1
        assert len(engine.networks_of_node(other.node_id)) == 1
    finally:
        other.close()
    assert other.containers() == []
