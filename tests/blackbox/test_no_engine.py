"""No container engine: said once and clearly; tasks fail with a reason instead of hanging."""

from pathlib import Path
from typing import Any

import pytest

from harness import engine, wire
from harness.ecs_calls import (
    describe,
    listed,
    register,
    run,
    run_to,
    stop_and_wait,
    wait_status,
)
from harness.engine_proxy import Call, DropConnection, EngineProxy, Point, path_contains
from harness.real_tasks import forever
from harness.server import Server
from harness.wait import wait_until


@pytest.fixture
def nowhere(tmp_path: Path) -> str:
    """The address of an engine that is not there."""
    return f"unix://{tmp_path / 'nobody.sock'}"


def test_serve_says_so_once_with_the_ways_out_and_serves(
    start_server: Any, nowhere: str
) -> None:
    server: Server = start_server(start=False, engine_kind="auto", docker_host=nowhere)
    server.start(ready=False)
    wait_healthy(server)
    assert listed(server.ecs) == []
    said = [line for line in server.log().splitlines() if "no container engine" in line]
    assert len(said) == 1
    for way in ("docker", "DOCKER_HOST", "--engine simulated"):
        assert way in said[0]


def wait_healthy(server: Server) -> None:
    """Waits until /healthz answers."""
    def answers() -> bool:
        return wire.request(server.endpoint, "GET", "/healthz", deadline=5).status == 200

    wait_until(answers, 30, "/healthz", tolerate=(OSError,))


def test_tasks_fail_with_a_reason(start_server: Any, nowhere: str) -> None:
    server: Server = start_server(start=False, engine_kind="auto", docker_host=nowhere)
    server.start(ready=False)
    wait_healthy(server)
    register(server.ecs, "app", forever())
    (arn,) = run(server.ecs, "app")
    task = wait_status(server.ecs, arn, "STOPPED", 60)
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"]
    assert "startedAt" not in task
    assert listed(server.ecs) == []


def test_an_engine_that_was_asked_for_must_be_there(start_server: Any, nowhere: str) -> None:
    server: Server = start_server(start=False, docker_host=nowhere)
    server.start(ready=False)
    assert server.wait_exit() == 1
    assert "no container engine" in server.log()
    assert "--engine simulated" in server.log()


def test_an_engine_that_refuses_to_create_is_reported_in_its_words(
    engine_proxy: EngineProxy, start_server: Any, busybox: str
) -> None:
    server: Server = start_server(docker_host=engine_proxy.docker_host)
    rule = engine_proxy.refuse(path_contains("/containers/create"), 500, "no room on this ship")
    register(server.ecs, "app", forever())
    task = run_to(server.ecs, "app", "STOPPED")
    assert rule.fired
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotCreateContainerError: ")
    assert "no room on this ship" in task["stoppedReason"]
    rule.remove()
    run_to(server.ecs, "app", "RUNNING")


def test_an_engine_that_comes_back_is_used_again(
    engine_proxy: EngineProxy, start_server: Any, busybox: str
) -> None:
    server: Server = start_server(docker_host=engine_proxy.docker_host)
    register(server.ecs, "app", forever())
    before = run_to(server.ecs, "app", "RUNNING")["taskArn"]
    rule = engine_proxy.refuse(lambda _: True, 503, "the engine is being restarted")
    run_to(server.ecs, "app", "STOPPED")
    rule.remove()
    after = run_to(server.ecs, "app", "RUNNING")["taskArn"]
    assert listed(server.ecs) == [before, after]


def test_a_stop_during_a_create_that_hangs_leaves_nothing_running(
    engine_proxy: EngineProxy, start_server: Any, busybox: str
) -> None:
    server: Server = start_server(docker_host=engine_proxy.docker_host)
    block = engine_proxy.block(path_contains("/containers/create"))
    register(server.ecs, "app", forever())
    (arn,) = run(server.ecs, "app")
    wait_until(lambda: block.fired, 30, "the create")
    assert listed(server.ecs) == [arn]
    server.ecs.stop_task(task=arn)
    assert listed(server.ecs, desiredStatus="STOPPED") == [arn]
    block.remove()
    task = wait_status(server.ecs, arn, "STOPPED")
    assert task["stopCode"] == "UserInitiated"
    assert "startedAt" not in task
    assert not any(c["State"]["Running"] for c in server.containers())


def lose(_: Call) -> None:
    """Hides from the caller what the engine has done."""
    raise DropConnection


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("/containers/create", "CannotCreateContainerError: "),
        ("/start", "CannotStartContainerError: "),
    ],
    ids=["create", "start"],
)
def test_a_call_whose_answer_is_lost_leaves_no_container(
    engine_proxy: EngineProxy, start_server: Any, busybox: str, call: str, error: str
) -> None:
    options = ["--container-cleanup-wait-seconds", "1"]
    server: Server = start_server(docker_host=engine_proxy.docker_host, options=options)
    rule = engine_proxy.at_nth(1, Point.DONE, lose, path_contains(call, method="POST"))
    register(server.ecs, "app", forever())
    (arn,) = run(server.ecs, "app")
    wait_until(lambda: rule.fired, 30, "the call")
    ended = ("RUNNING", "STOPPED")
    wait_until(lambda: describe(server.ecs, arn)["lastStatus"] in ended, 30, "an outcome")
    if listed(server.ecs):
        assert len(server.containers()) == 1
        assert stop_and_wait(server.ecs, arn)["stopCode"] == "UserInitiated"
    else:
        assert describe(server.ecs, arn)["stoppedReason"].startswith(error)
    wait_until(lambda: server.containers() == [], 30, "the removal")


def test_an_end_is_noticed_although_the_events_were_lost(
    engine_proxy: EngineProxy, start_server: Any, busybox: str
) -> None:
    server: Server = start_server(docker_host=engine_proxy.docker_host)
    register(server.ecs, "app", forever())
    task = run_to(server.ecs, "app", "RUNNING")
    blind = engine_proxy.refuse(path_contains("/events"), 500, "no events today")
    server.restart()
    wait_until(lambda: blind.fired, 30, "the events call")
    engine.docker("kill", task["containers"][0]["runtimeId"])
    blind.remove()
    ended = wait_status(server.ecs, task["taskArn"], "STOPPED", 60)
    assert ended["containers"][0]["exitCode"] == 137
