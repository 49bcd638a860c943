"""StopTask: its answer, its reasons, its refusals; on the simulated engine."""

from typing import Any

import pytest

from harness.ecs_calls import (
    NEVER_PULLED,
    container,
    describe,
    invalid,
    refused,
    register,
    run,
    run_to,
    simulated,
    stop_and_wait,
    wait_status,
)
from harness.server import Server

PREFIX = "arn:aws:ecs:us-east-1:000000000000"
ID = "0123456789abcdef" * 2


@pytest.fixture
def ecs(simulated_server: Server) -> Any:
    """A client of a server without containers; `app` takes a while to stop."""
    slow = container(dockerLabels=simulated(stop_delay_ms=300))
    register(simulated_server.ecs, "app", slow)
    return simulated_server.ecs


def test_the_answer_comes_at_once_with_the_old_last_status(ecs: Any) -> None:
    arn = run_to(ecs, "app", "RUNNING")["taskArn"]
    task = ecs.stop_task(task=arn)["task"]
    assert (task["desiredStatus"], task["lastStatus"]) == ("STOPPED", "RUNNING")
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "Task stopped by user")
    assert "stoppingAt" in task
    assert "stoppedAt" not in task


def test_the_task_stops_and_its_container_has_the_exit_code_of_sigterm(ecs: Any) -> None:
    arn = run_to(ecs, "app", "RUNNING")["taskArn"]
    task = stop_and_wait(ecs, arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "Task stopped by user")
    assert task["containers"][0]["exitCode"] == 143
    assert task["containers"][0]["lastStatus"] == "STOPPED"


def test_the_callers_reason_is_kept_as_it_is(ecs: Any) -> None:
    arn = run_to(ecs, "app", "RUNNING")["taskArn"]
    reason = "too slow – replaced, see https://example.invalid/1"
    assert ecs.stop_task(task=arn, reason=reason)["task"]["stoppedReason"] == reason
    assert wait_status(ecs, arn, "STOPPED")["stoppedReason"] == reason


def test_a_long_reason_is_kept_and_a_very_long_one_cut(ecs: Any) -> None:
    for length, kept in ((1024, 1024), (3000, 1024)):
        (arn,) = run(ecs, "app")
        task = ecs.stop_task(task=arn, reason="r" * length)["task"]
        assert task["stoppedReason"] == "r" * kept


def test_a_second_stop_changes_nothing(ecs: Any) -> None:
    arn = run_to(ecs, "app", "RUNNING")["taskArn"]
    first = ecs.stop_task(task=arn, reason="one")["task"]
    again = ecs.stop_task(task=arn, reason="two")["task"]
    assert (again["stoppedReason"], again["version"]) == ("one", first["version"])


def test_a_stopped_task_is_answered_unchanged(ecs: Any) -> None:
    task = stop_and_wait(ecs, run_to(ecs, "app", "RUNNING")["taskArn"])
    assert ecs.stop_task(task=task["taskArn"], reason="late")["task"] == task


def test_a_task_is_named_by_id_and_by_arn_with_its_cluster(ecs: Any) -> None:
    ecs.create_cluster(clusterName="other")
    for cluster in ("default", "other"):
        by_arn, by_id = run(ecs, "app", 2, cluster=cluster)
        ecs.stop_task(cluster=cluster, task=by_arn)
        ecs.stop_task(cluster=cluster, task=by_id.rsplit("/", 1)[1])
        for arn in (by_arn, by_id):
            assert describe(ecs, arn)["desiredStatus"] == "STOPPED"


def test_an_unknown_task_is_refused(ecs: Any) -> None:
    wanted = invalid("The referenced task was not found.")
    for task in (ID, f"{PREFIX}:task/default/{ID}"):
        assert refused(ecs.stop_task, task=task) == wanted


@pytest.mark.parametrize("task", ["x", ID.upper(), ID + "0", f"{PREFIX}:service/default/{ID}"])
def test_a_malformed_identifier_is_refused(ecs: Any, task: str) -> None:
    assert refused(ecs.stop_task, task=task) == invalid("Task Identifier is invalid")


def test_a_task_of_another_cluster_is_refused(ecs: Any) -> None:
    ecs.create_cluster(clusterName="other")
    (arn,) = run(ecs, "app", cluster="other")
    assert refused(ecs.stop_task, task=arn) == invalid(
        "Invalid identifier: Identifier is for cluster other. Your cluster is default"
    )
    assert describe(ecs, arn)["desiredStatus"] == "RUNNING"


def test_the_cluster_must_be_there(ecs: Any) -> None:
    wanted = ("ClusterNotFoundException", "Cluster not found.")
    assert refused(ecs.stop_task, cluster="nobody", task=ID) == wanted


def test_a_task_stopped_while_pulling_never_ran(ecs: Any) -> None:
    register(ecs, "slow", container(image=NEVER_PULLED))
    (arn,) = run(ecs, "slow")
    task = stop_and_wait(ecs, arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "Task stopped by user")
    assert "startedAt" not in task
    assert "exitCode" not in task["containers"][0]


def test_a_container_that_ignores_sigterm_is_killed_after_its_stop_timeout(ecs: Any) -> None:
    stubborn = container(dockerLabels=simulated(ignore_sigterm="true"), stopTimeout=2)
    register(ecs, "stubborn", stubborn)
    task = stop_and_wait(ecs, run_to(ecs, "stubborn", "RUNNING")["taskArn"])
    assert task["containers"][0]["exitCode"] == 137
    waited = task["executionStoppedAt"] - task["stoppingAt"]
    assert 1.9 <= waited.total_seconds() < 10


def test_stopping_many_at_once(ecs: Any) -> None:
    arns = run(ecs, "app", 10)
    for arn in arns:
        ecs.stop_task(task=arn)
    for arn in arns:
        assert wait_status(ecs, arn, "STOPPED")["stopCode"] == "UserInitiated"
