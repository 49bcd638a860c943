"""Several servers and strangers on one engine: nobody touches what is not his."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from harness import engine
from harness.ecs_calls import describe, listed, register, run_to, stop_and_wait
from harness.engine_proxy import Call, EngineProxy, Point, path_contains
from harness.real_tasks import NAME_LABEL, TASK_LABEL, forever, of_task
from harness.server import Server

STRANGERS_TASK = "arn:aws:ecs:us-east-1:000000000000:task/default/" + "5" * 32


@pytest.fixture
def strangers(busybox: str) -> Iterator[list[str]]:
    """Containers with Amazon's labels, one of them also with the label of a node of its own."""
    labels = [f"{TASK_LABEL}={STRANGERS_TASK}", f"{NAME_LABEL}=main"]
    labels += ["com.amazonaws.ecs.cluster=default", "com.amazonaws.ecs.task-definition-family=app"]
    arguments = [a for label in labels for a in ("--label", label)]
    made: list[str] = []
    try:
        for more in ([], ["--label", f"{engine.NODE_LABEL}={'f' * 32}"]):
            made.append(
                engine.docker("run", "-d", "--network", "none", *arguments, *more,
                              busybox, "sleep", "600")  # fmt: skip
            )
        yield made
    finally:
        if made:
            engine.docker("rm", "--force", *made)


def state_of(container_ids: list[str]) -> list[tuple[str, bool, str, int]]:
    """What shows whether somebody touched a container: running, since when, restarts."""
    found = []
    for one in container_ids:
        (inspected,) = engine.containers(f"id={one}")
        state = inspected["State"]
        found.append((one, state["Running"], state["StartedAt"], inspected["RestartCount"]))
    return found


def containers_of(server: Server) -> set[str]:
    """Ids of a server's containers."""
    return {container["Id"] for container in server.containers()}


def test_two_servers_and_strangers_leave_each_other_alone(
    start_server: Any, strangers: list[str]
) -> None:
    one: Server = start_server()
    two: Server = start_server()
    for server in (one, two):
        register(server.ecs, "app", forever())
    of_one = [run_to(one.ecs, "app", "RUNNING")["taskArn"] for _ in range(2)]
    of_two = [run_to(two.ecs, "app", "RUNNING")["taskArn"] for _ in range(2)]
    assert one.node_id != two.node_id
    assert len(containers_of(one)) == len(containers_of(two)) == 2
    before = state_of([*strangers, *containers_of(two)])

    stop_and_wait(one.ecs, of_one[0])
    one.kill9()
    one.start()
    stop_and_wait(one.ecs, of_one[1])
    one.restart()

    assert state_of([*strangers, *(entry[0] for entry in before[2:])]) == before
    assert listed(two.ecs) == of_two
    for arn in of_two:
        assert describe(two.ecs, arn)["lastStatus"] == "RUNNING"
        assert of_task(arn)["main"]["State"]["Running"]


def test_a_stranger_with_amazons_labels_is_no_task_of_ours(
    server: Server, strangers: list[str]
) -> None:
    server.restart()
    assert listed(server.ecs) == listed(server.ecs, desiredStatus="STOPPED") == []
    answer = server.ecs.describe_tasks(tasks=[STRANGERS_TASK])
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    assert all(running for _, running, _, _ in state_of(strangers))


def test_stop_tasks_on_exit_removes_only_ones_own(
    start_server: Any, strangers: list[str]
) -> None:
    one: Server = start_server(options=["--stop-tasks-on-exit"])
    two: Server = start_server()
    for server in (one, two):
        register(server.ecs, "app", forever())
        run_to(server.ecs, "app", "RUNNING")
    others = [*strangers, *containers_of(two)]
    before = state_of(others)
    one.stop()
    assert one.containers() == []
    assert state_of(others) == before


def test_a_stranger_with_our_containers_name_is_not_adopted(
    engine_proxy: EngineProxy, start_server: Any, busybox: str, request: pytest.FixtureRequest
) -> None:
    made: list[str] = []

    def squat(call: Call) -> None:
        (name,) = parse_qs(urlsplit(call.path).query)["name"]
        made.append(engine.docker("run", "-d", "--name", name, "--network", "none", busybox,
                                  "sleep", "600"))  # fmt: skip
        request.addfinalizer(lambda: engine.docker("rm", "--force", made[0]))

    server: Server = start_server(docker_host=engine_proxy.docker_host)
    engine_proxy.at_nth(1, Point.BEFORE, squat, path_contains("/containers/create"))
    register(server.ecs, "app", forever())
    task = run_to(server.ecs, "app", "STOPPED")
    assert task["stoppedReason"].startswith("CannotCreateContainerError: ")
    assert server.containers() == []
    assert [running for _, running, _, _ in state_of(made)] == [True]
    run_to(server.ecs, "app", "RUNNING")
