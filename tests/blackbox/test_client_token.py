"""RunTask's clientToken: the same request again answers the first result."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import clients
from harness.ecs_calls import listed, refused, register, stop_and_wait, wait_status
from harness.server import Server


@pytest.fixture
def ecs(simulated_server: Server) -> Any:
    """A client of a server without containers, with the family `app` registered."""
    register(simulated_server.ecs)
    return simulated_server.ecs


def arns(answer: dict[str, Any]) -> list[str]:
    """The ARNs in RunTask's answer."""
    return [task["taskArn"] for task in answer["tasks"]]


def test_a_replay_answers_the_same_tasks_and_runs_none(ecs: Any) -> None:
    request = {"taskDefinition": "app", "count": 3, "clientToken": "t1"}
    first = arns(ecs.run_task(**request))
    assert arns(ecs.run_task(**request)) == first
    assert listed(ecs) == first


def test_a_replay_shows_the_tasks_as_they_are_now(ecs: Any) -> None:
    request = {"taskDefinition": "app", "clientToken": "t1"}
    (first,) = arns(ecs.run_task(**request))
    wait_status(ecs, first, "RUNNING")
    (task,) = ecs.run_task(**request)["tasks"]
    assert (task["lastStatus"], task["taskDefinitionArn"][-5:]) == ("RUNNING", "app:1")


def test_a_stopped_task_comes_back_as_its_arn_and_statuses_only(ecs: Any) -> None:
    request = {"taskDefinition": "app", "clientToken": "t1"}
    (first,) = arns(ecs.run_task(**request))
    stop_and_wait(ecs, first)
    assert ecs.run_task(**request)["tasks"] == [
        {"taskArn": first, "lastStatus": "STOPPED", "desiredStatus": "STOPPED"}
    ]
    assert listed(ecs) == []


def test_a_replay_after_a_restart_and_after_a_kill(simulated_server: Server, ecs: Any) -> None:
    request = {"taskDefinition": "app", "count": 2, "clientToken": "t1"}
    first = arns(ecs.run_task(**request))
    simulated_server.restart()
    assert arns(simulated_server.ecs.run_task(**request)) == first
    simulated_server.kill9()
    simulated_server.start()
    assert arns(simulated_server.ecs.run_task(**request)) == first


@pytest.mark.parametrize(
    "change",
    [{"count": 2}, {"startedBy": "me"}, {"group": "batch"}, {"launchType": "EXTERNAL"}],
)
def test_other_parameters_are_a_conflict_that_names_the_tasks(
    ecs: Any, change: dict[str, Any]
) -> None:
    request: dict[str, Any] = {"taskDefinition": "app", "clientToken": "t1"}
    first = arns(ecs.run_task(**request))
    with pytest.raises(ClientError) as e:
        ecs.run_task(**{**request, **change})
    response = e.value.response
    assert response["Error"]["Code"] == "ConflictException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["resourceIds"] == first
    assert listed(ecs) == first


def test_the_default_spelled_out_is_the_same_request(ecs: Any) -> None:
    first = arns(ecs.run_task(taskDefinition="app", clientToken="t1"))
    for same in ({"count": 1}, {"cluster": "default"}):
        assert arns(ecs.run_task(taskDefinition="app", clientToken="t1", **same)) == first


def test_a_token_is_of_one_cluster(ecs: Any) -> None:
    ecs.create_cluster(clusterName="other")
    request = {"taskDefinition": "app", "clientToken": "t1"}
    here = arns(ecs.run_task(**request))
    there = arns(ecs.run_task(**request, cluster="other"))
    assert here != there
    assert (listed(ecs), listed(ecs, cluster="other")) == (here, there)


def test_a_token_ends_with_its_cluster(ecs: Any) -> None:
    ecs.create_cluster(clusterName="brief")
    request = {"taskDefinition": "app", "cluster": "brief", "clientToken": "t1"}
    (first,) = arns(ecs.run_task(**request))
    stop_and_wait(ecs, first)
    ecs.delete_cluster(cluster="brief")
    ecs.create_cluster(clusterName="brief")
    (second,) = arns(ecs.run_task(**request))
    assert second != first
    assert listed(ecs, cluster="brief") == [second]


def test_another_token_is_another_request(ecs: Any) -> None:
    first = arns(ecs.run_task(taskDefinition="app", clientToken="t1"))
    second = arns(ecs.run_task(taskDefinition="app", clientToken="t2"))
    assert listed(ecs) == first + second


def test_a_refused_request_leaves_its_token_free(ecs: Any) -> None:
    assert refused(ecs.run_task, taskDefinition="nobody", clientToken="t1") == (
        "ClientException",
        "TaskDefinition not found.",
    )
    assert len(arns(ecs.run_task(taskDefinition="app", clientToken="t1"))) == 1


def test_failures_are_replayed_too(start_server: Any) -> None:
    ecs = start_server(engine_kind="simulated", options=["--builtin-memory", "20"]).ecs
    register(ecs)
    request = {"taskDefinition": "app", "count": 2, "clientToken": "t1"}
    first = ecs.run_task(**request)
    assert (len(first["tasks"]), len(first["failures"])) == (1, 1)
    again = ecs.run_task(**request)
    assert arns(again) == arns(first)
    assert again["failures"] == first["failures"]


def test_many_at_once_with_one_token_run_one_task(simulated_server: Server, ecs: Any) -> None:
    callers = [clients.ecs(simulated_server.endpoint) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        calls = [
            pool.submit(c.run_task, taskDefinition="app", clientToken="t1") for c in callers
        ]
        found = {arn for call in calls for arn in arns(call.result(60))}
    assert len(found) == 1
    assert listed(ecs) == list(found)


@pytest.mark.parametrize("token", ["", "t" * 65, "a b", "ä"])
def test_a_malformed_token_is_refused(ecs: Any, token: str) -> None:
    refusal = refused(ecs.run_task, taskDefinition="app", clientToken=token)
    assert refusal.code == "InvalidParameterException"
    assert listed(ecs) == []


def test_the_longest_token_is_taken(ecs: Any) -> None:
    request = {"taskDefinition": "app", "clientToken": "!" + "t" * 62 + "~"}
    assert arns(ecs.run_task(**request)) == arns(ecs.run_task(**request))
