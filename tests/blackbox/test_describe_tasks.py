"""DescribeTasks: the task object, member by member, and the life cycle it shows."""

from datetime import datetime, timezone
from typing import Any

import pytest

from harness import wire
from harness.ecs_calls import (
    TASK_ARN,
    container,
    describe,
    invalid,
    refused,
    register,
    register_fargate,
    run,
    run_fargate,
    run_to,
    simulated,
    stop_and_wait,
    wait_status,
)
from harness.server import Server
from harness.wait import wait_until

PREFIX = "arn:aws:ecs:us-east-1:000000000000"
ID = "0123456789abcdef" * 2
ALWAYS = {
    "attachments", "attributes", "availabilityZone", "clusterArn", "containers", "cpu",
    "createdAt", "desiredStatus", "enableExecuteCommand", "group", "healthStatus", "lastStatus",
    "launchType", "memory", "overrides", "tags", "taskArn", "taskDefinitionArn", "version",
}  # fmt: skip
WHEN_RUNNING = {
    "connectivity", "connectivityAt", "containerInstanceArn", "pullStartedAt", "pullStoppedAt",
    "startedAt",
}  # fmt: skip
WHEN_STOPPED = {"executionStoppedAt", "stopCode", "stoppedAt", "stoppedReason", "stoppingAt"}
LIFE = [
    "createdAt", "connectivityAt", "pullStartedAt", "pullStoppedAt", "startedAt",
    "executionStoppedAt", "stoppedAt",
]  # fmt: skip


@pytest.fixture
def ecs(simulated_server: Server) -> Any:
    """A client of a server without containers, with the family `app` registered."""
    register(simulated_server.ecs)
    return simulated_server.ecs


# The object.


def test_the_members_of_a_running_and_of_a_stopped_task(ecs: Any) -> None:
    running = run_to(ecs, "app", "RUNNING", startedBy="me")
    assert set(running) == ALWAYS | WHEN_RUNNING | {"startedBy"}
    stopped = stop_and_wait(ecs, running["taskArn"])
    assert set(stopped) == ALWAYS | WHEN_RUNNING | WHEN_STOPPED | {"startedBy"}


def test_the_values_of_a_running_task(ecs: Any) -> None:
    task = run_to(ecs, "app", "RUNNING")
    assert TASK_ARN.fullmatch(task["taskArn"])
    assert task["clusterArn"] == f"{PREFIX}:cluster/default"
    assert task["taskDefinitionArn"] == f"{PREFIX}:task-definition/app:1"
    assert task["containerInstanceArn"].startswith(f"{PREFIX}:container-instance/default/")
    assert task["availabilityZone"].startswith("us-east-1")
    assert (task["desiredStatus"], task["lastStatus"]) == ("RUNNING", "RUNNING")
    assert (task["launchType"], task["connectivity"]) == ("EC2", "CONNECTED")
    assert (task["healthStatus"], task["enableExecuteCommand"]) == ("UNKNOWN", False)
    assert (task["cpu"], task["memory"]) == ("0", "16")
    assert (task["attachments"], task["tags"]) == ([], [])
    assert task["overrides"] == {
        "containerOverrides": [{"name": "main"}],
        "inferenceAcceleratorOverrides": [],
    }
    (attribute,) = task["attributes"]
    assert attribute["name"] == "ecs.cpu-architecture"
    assert attribute["value"] in ("x86_64", "arm64")


def test_the_members_of_a_container(ecs: Any) -> None:
    reserved = container("side", memoryReservation=8, cpu=3, essential=False)
    register(ecs, "two", container(), reserved)
    task = run_to(ecs, "two", "RUNNING")
    main, side = task["containers"]
    members = {
        "containerArn", "taskArn", "name", "image", "runtimeId", "lastStatus", "networkBindings",
        "networkInterfaces", "healthStatus", "cpu", "memory",
    }  # fmt: skip
    assert set(main) - {"imageDigest"} == members
    assert set(side) - {"imageDigest"} == members | {"memoryReservation"}
    assert (main["name"], side["name"]) == ("main", "side")
    assert (main["taskArn"], main["image"]) == (task["taskArn"], "app")
    assert (main["cpu"], main["memory"]) == ("0", "16")
    assert (side["cpu"], side["memory"], side["memoryReservation"]) == ("3", "16", "8")
    assert (main["networkBindings"], main["networkInterfaces"]) == ([], [])
    assert (main["lastStatus"], main["healthStatus"]) == ("RUNNING", "UNKNOWN")
    task_id = task["taskArn"].rsplit("/", 1)[1]
    uuid = main["containerArn"].removeprefix(f"{PREFIX}:container/default/{task_id}/")
    assert [len(part) for part in uuid.split("-")] == [8, 4, 4, 4, 12]
    assert main["containerArn"] != side["containerArn"]


def test_an_arn_of_a_container_stays_the_same(ecs: Any) -> None:
    first = run_to(ecs, "app", "RUNNING")
    stopped = stop_and_wait(ecs, first["taskArn"])
    assert stopped["containers"][0]["containerArn"] == first["containers"][0]["containerArn"]


def test_a_fargate_task_has_storage_and_platform_and_no_instance(ecs: Any) -> None:
    register_fargate(ecs)
    task = wait_status(ecs, run_fargate(ecs, "fargate")[0], "RUNNING")
    assert set(task) - ALWAYS - WHEN_RUNNING <= {
        "platformVersion", "platformFamily", "ephemeralStorage", "fargateEphemeralStorage",
    }  # fmt: skip
    assert "containerInstanceArn" not in task
    assert task["ephemeralStorage"] == {"sizeInGiB": 20}
    assert (task["platformVersion"], task["platformFamily"]) == ("1.4.0", "Linux")


def test_empty_lists_are_there_and_nothing_is_null_on_the_wire(
    simulated_server: Server, ecs: Any
) -> None:
    arn = run_to(ecs, "app", "RUNNING")["taskArn"]
    stop_and_wait(ecs, arn)
    answer = wire.post(simulated_server.endpoint, "DescribeTasks", {"tasks": [arn]})
    assert b"null" not in answer.body
    assert answer.json["failures"] == []
    task = answer.json["tasks"][0]
    for name in ("attachments", "tags"):
        assert task[name] == []
    assert task["containers"][0]["networkBindings"] == []
    assert isinstance(task["cpu"], str)
    assert isinstance(task["version"], int)
    assert task["overrides"]["containerOverrides"] == [{"name": "main"}]


# The life cycle.


def test_timestamps_are_epoch_seconds_with_milliseconds_in_the_order_of_life(
    simulated_server: Server, ecs: Any
) -> None:
    before = datetime.now(timezone.utc).timestamp()
    register(ecs, "brief", container(dockerLabels=simulated(run_ms=50, exit_code=0)))
    arn = run_to(ecs, "brief", "STOPPED")["taskArn"]
    after = datetime.now(timezone.utc).timestamp()
    answer = wire.post(simulated_server.endpoint, "DescribeTasks", {"tasks": [arn]})
    task = answer.json["tasks"][0]
    times = [task[name] for name in LIFE]
    assert all(isinstance(t, (int, float)) for t in times)
    assert times == sorted(times)
    assert task["executionStoppedAt"] <= task["stoppingAt"] <= task["stoppedAt"]
    assert before - 0.001 <= times[0]
    assert times[-1] <= after + 0.001
    assert all(abs(t * 1000 - round(t * 1000)) < 0.001 for t in times)


def test_a_stopped_task_was_asked_to_stop_before_it_stopped(ecs: Any) -> None:
    task = stop_and_wait(ecs, run_to(ecs, "app", "RUNNING")["taskArn"])
    assert task["startedAt"] <= task["stoppingAt"] <= task["stoppedAt"]
    assert task["executionStoppedAt"] <= task["stoppedAt"]


def test_the_version_starts_at_1_and_rises(ecs: Any) -> None:
    answer = ecs.run_task(taskDefinition="app")["tasks"][0]
    running = wait_status(ecs, answer["taskArn"], "RUNNING")
    stopped = stop_and_wait(ecs, answer["taskArn"])
    assert answer["version"] == 1 < running["version"] < stopped["version"]


def test_an_essential_container_that_exits_stops_the_task(ecs: Any) -> None:
    done = container("main", dockerLabels=simulated(exit_code=5))
    register(ecs, "two", done, container("side"))
    task = run_to(ecs, "two", "STOPPED")
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["desiredStatus"] == "STOPPED"
    codes = {c["name"]: c["exitCode"] for c in task["containers"]}
    assert codes == {"main": 5, "side": 143}


def test_a_container_that_is_not_essential_may_exit(ecs: Any) -> None:
    brief = container("side", essential=False, dockerLabels=simulated(exit_code=9))
    register(ecs, "two", container(), brief)
    (arn,) = run(ecs, "two")
    wait_status(ecs, arn, "RUNNING")
    def side() -> dict[str, Any] | None:
        found = next(c for c in describe(ecs, arn)["containers"] if c["name"] == "side")
        return found if found["lastStatus"] == "STOPPED" else None

    assert wait_until(side, 30, "the end of side")["exitCode"] == 9
    assert describe(ecs, arn)["lastStatus"] == "RUNNING"


def test_a_task_that_cannot_pull_says_so(ecs: Any) -> None:
    register(ecs, "lost", container(image="pull-fails.invalid/app"))
    task = run_to(ecs, "lost", "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    (only,) = task["containers"]
    assert only["reason"].startswith("CannotPullContainerError: ")
    assert "exitCode" not in only
    assert "startedAt" not in task


@pytest.mark.parametrize(
    ("failure", "reason"),
    [("create", "CannotCreateContainerError: "), ("start", "CannotStartContainerError: ")],
)
def test_a_container_that_cannot_be_made_or_started_says_so(
    ecs: Any, failure: str, reason: str
) -> None:
    register(ecs, "broken", container(dockerLabels=simulated(fail=failure)))
    task = run_to(ecs, "broken", "STOPPED")
    assert task["containers"][0]["reason"].startswith(reason)
    assert task["stopCode"] == "TaskFailedToStart"


def test_a_container_killed_for_memory_says_so(ecs: Any) -> None:
    register(ecs, "greedy", container(dockerLabels=simulated(fail="oom", run_ms=20)))
    task = run_to(ecs, "greedy", "STOPPED")
    (only,) = task["containers"]
    assert only["exitCode"] == 137
    assert only["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert task["stoppedReason"] == "Essential container in task exited"


# Identifiers, failures, refusals.


def test_ids_and_arns_are_the_same_and_named_once(ecs: Any) -> None:
    arns = run(ecs, "app", 3)
    ids = [arn.rsplit("/", 1)[1] for arn in arns]
    answer = ecs.describe_tasks(tasks=[arns[0], ids[0], ids[1], arns[2]])
    assert sorted(t["taskArn"] for t in answer["tasks"]) == sorted(arns)
    assert answer["failures"] == []


def test_what_is_not_there_is_a_failure_with_its_full_arn(ecs: Any) -> None:
    (arn,) = run(ecs, "app")
    answer = ecs.describe_tasks(tasks=[ID, arn])
    assert [t["taskArn"] for t in answer["tasks"]] == [arn]
    assert answer["failures"] == [{"arn": f"{PREFIX}:task/default/{ID}", "reason": "MISSING"}]


def test_no_task_and_more_than_100_are_refused(ecs: Any) -> None:
    assert refused(ecs.describe_tasks, tasks=[]) == invalid("Tasks cannot be empty.")
    ids = [f"{n:032x}" for n in range(101)]
    wanted = invalid("taskIds can have at most 100 items.")
    assert refused(ecs.describe_tasks, tasks=ids) == wanted
    assert len(ecs.describe_tasks(tasks=ids[:100])["failures"]) == 100


@pytest.mark.parametrize("task", ["x", "", ID.upper(), f"{PREFIX}:cluster/{ID}"])
def test_a_malformed_identifier_refuses_the_whole_call(ecs: Any, task: str) -> None:
    wanted = invalid("Task Identifier is invalid")
    assert refused(ecs.describe_tasks, tasks=[ID, task]) == wanted


def test_an_arn_of_another_cluster_refuses_the_whole_call(ecs: Any) -> None:
    ecs.create_cluster(clusterName="other")
    (there,) = run(ecs, "app", cluster="other")
    assert refused(ecs.describe_tasks, tasks=[there]) == invalid(
        "Invalid identifier: Identifier is for cluster other. Your cluster is default"
    )


def test_an_unknown_cluster_is_refused(ecs: Any) -> None:
    wanted = ("ClusterNotFoundException", "Cluster not found.")
    assert refused(ecs.describe_tasks, cluster="nobody", tasks=[ID]) == wanted


def test_tags_come_only_when_asked_for(ecs: Any) -> None:
    tags = [{"key": "team", "value": "blue"}]
    (arn,) = run(ecs, "app", tags=tags)
    assert describe(ecs, arn)["tags"] == []
    assert describe(ecs, arn, include=["TAGS"])["tags"] == tags


def test_a_task_of_another_server_generation_is_still_described(
    simulated_server: Server, ecs: Any
) -> None:
    stopped = stop_and_wait(ecs, run_to(ecs, "app", "RUNNING")["taskArn"])
    simulated_server.kill9()
    simulated_server.start()
    assert describe(simulated_server.ecs, stopped["taskArn"]) == stopped
