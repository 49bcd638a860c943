"""The engine proxy, between real `docker` commands and the real engine."""

import http.client
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from harness import engine
from harness.engine_proxy import (
    Call,
    DropConnection,
    EngineProxy,
    Point,
    changes,
    path_contains,
)
from harness.wait import wait_until


@pytest.fixture
def proxied(engine_proxy: EngineProxy, monkeypatch: pytest.MonkeyPatch) -> EngineProxy:
    """The proxy, with every `docker` command of this test going through it."""
    monkeypatch.setenv("DOCKER_HOST", engine_proxy.docker_host)
    return engine_proxy


class UnixConnection(http.client.HTTPConnection):
    """A keep-alive connection to a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


@pytest.fixture
def connection(engine_proxy: EngineProxy) -> Iterator[UnixConnection]:
    """One connection to the proxy."""
    made = UnixConnection(engine_proxy.socket_path)
    yield made
    made.close()


def get(connection: UnixConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


def test_a_container_runs_with_its_streams_through_the_proxy(
    proxied: EngineProxy, busybox: str
) -> None:
    output = engine.docker(
        "run", "--rm", "-i", "--network", "none", busybox, "sh", "-c", "wc -c; echo end",
        stdin=b"x" * 300_000,
    )  # fmt: skip
    assert output.split() == ["300000", "end"]
    called = [(c.method, c.status) for c in proxied.calls(path_contains("/containers/create"))]
    assert called == [("POST", 201)]
    assert proxied.count(path_contains("/attach", method="POST")) == 1


def test_calls_of_one_connection_are_counted_one_by_one(
    engine_proxy: EngineProxy, connection: UnixConnection
) -> None:
    for path in ("/_ping", "/containers/json?all=1", "/no-such-page", "/_ping"):
        get(connection, path)
    assert [(c.number, c.path, c.status) for c in engine_proxy.calls()] == [
        (1, "/_ping", 200),
        (2, "/containers/json?all=1", 200),
        (3, "/no-such-page", 404),
        (4, "/_ping", 200),
    ]


def test_an_event_stream_passes_each_event_at_once_and_ends_with_its_caller(
    proxied: EngineProxy, busybox: str
) -> None:
    command = ["docker", "--host", proxied.docker_host, "events", "--format", "{{.Action}}"]
    command += ["--filter", "label=longshore-test.events"]
    events = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert events.stdout
    try:
        wait_until(lambda: proxied.calls(path_contains("/events")), 30, "the events call")
        wait_until(lambda: proxied.calls(path_contains("/events"))[0].status == 200, 30)
        made = engine.docker("create", "--label", "longshore-test.events=1", busybox)
        assert events.stdout.readline() == "create\n"
        engine.docker("rm", made)
        assert events.stdout.readline() == "destroy\n"
    finally:
        events.kill()
        events.communicate(timeout=10)
    wait_until(lambda: proxied.open_connections == 0, 10, "the end of the event stream")


def test_a_hook_before_the_nth_change_keeps_it_from_the_engine(
    proxied: EngineProxy, busybox: str
) -> None:
    def drop(_: Call) -> None:
        raise DropConnection

    rule = proxied.at_nth(2, Point.BEFORE, drop, changes)
    first = engine.docker("create", busybox)
    try:
        with pytest.raises(engine.EngineError):
            engine.docker("rm", first)
        assert rule.fired
        assert engine.docker("inspect", "--format", "{{.State.Status}}", first) == "created"
    finally:
        engine.docker("rm", first)


def test_a_hook_after_the_engine_did_it_hides_only_the_answer(
    proxied: EngineProxy, busybox: str
) -> None:
    seen = []

    def drop(call: Call) -> None:
        seen.append((call.method, call.status))
        raise DropConnection

    made = engine.docker("create", busybox)
    proxied.at_nth(1, Point.DONE, drop, path_contains(made, method="DELETE"))
    with pytest.raises(engine.EngineError):
        engine.docker("rm", made)
    assert seen == [("DELETE", 204)]
    with pytest.raises(engine.EngineError, match="No such"):
        engine.docker("inspect", made)


def test_a_caller_killed_by_a_hook_has_not_called_the_engine(
    engine_proxy: EngineProxy, busybox: str
) -> None:
    name = f"longshore-test-killed-{threading.get_native_id()}"
    command = ["docker", "--host", engine_proxy.docker_host, "create", "--name", name, busybox]
    caller: list[subprocess.Popen[bytes]] = []
    started = threading.Event()

    def kill(_: Call) -> None:
        assert started.wait(30)
        caller[0].kill()
        caller[0].wait(10)

    engine_proxy.at(Point.BEFORE, kill, path_contains("/containers/create"))
    caller.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    started.set()
    caller[0].wait(30)
    wait_until(lambda: engine_proxy.count(path_contains("/containers/create")) == 1, 30)
    engine_proxy.close()
    assert engine.containers(f"name={name}") == []


def test_a_blocked_call_waits_and_goes_on(
    engine_proxy: EngineProxy, connection: UnixConnection
) -> None:
    block = engine_proxy.block(path_contains("/info"))
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(get(connection, "/info")[0]))
    thread.start()
    wait_until(lambda: block.fired, 10, "the blocked call")
    other = UnixConnection(engine_proxy.socket_path)
    assert get(other, "/_ping")[0] == 200
    other.close()
    assert answers == []
    block.remove()
    thread.join(30)
    assert answers == [200]


def test_a_refused_call_never_reaches_the_engine_and_the_connection_goes_on(
    engine_proxy: EngineProxy, connection: UnixConnection, busybox: str
) -> None:
    rule = engine_proxy.refuse(path_contains("/containers/create"), 503, "not today")
    body = b'{"Image": "%s"}' % busybox.encode()
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/containers/create?name=longshore-test-refused", body, headers)
    response = connection.getresponse()
    assert (response.status, response.read()) == (503, b'{"message": "not today"}')
    assert get(connection, "/_ping") == (200, b"OK")
    assert rule.fired
    assert engine.containers("name=longshore-test-refused") == []


def test_an_error_in_a_hook_is_raised_by_close() -> None:
    proxy = EngineProxy()
    proxy.at(Point.BEFORE, lambda _: pytest.fail("a hook's own error"))
    connection = UnixConnection(proxy.socket_path)
    with pytest.raises((OSError, http.client.HTTPException)):
        get(connection, "/_ping")
    connection.close()
    with pytest.raises(pytest.fail.Exception, match="a hook's own error"):
        proxy.close()
