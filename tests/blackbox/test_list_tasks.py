"""ListTasks: what is listed, the filters, the pages, the scopes, the wire."""

from typing import Any

import pytest

from harness import clients, wire
from harness.ecs_calls import (
    NEVER_PULLED,
    TASK_ARN,
    container,
    describe,
    listed,
    pages,
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

UNKNOWN_ID = "0123456789abcdef" * 2


@pytest.fixture
def ecs(simulated_server: Server) -> Any:
    """A client of a server without containers, with the family `app` registered."""
    register(simulated_server.ecs)
    return simulated_server.ecs


# What is listed.


def test_a_new_task_is_listed_at_once_with_its_full_arn(ecs: Any) -> None:
    (arn,) = run(ecs, "app")
    assert listed(ecs) == [arn]
    assert TASK_ARN.fullmatch(arn)


def test_one_cluster_is_listed_and_it_is_default_when_absent(ecs: Any) -> None:
    ecs.create_cluster(clusterName="other")
    here, there = run(ecs, "app"), run(ecs, "app", cluster="other")
    assert listed(ecs) == listed(ecs, cluster="default") == here
    assert listed(ecs, cluster="other") == there


def test_a_cluster_is_named_by_name_or_by_arn(ecs: Any) -> None:
    arn = ecs.create_cluster(clusterName="other")["cluster"]["clusterArn"]
    there = run(ecs, "app", cluster="other")
    assert listed(ecs, cluster=arn) == listed(ecs, cluster="other") == there


def test_the_default_is_desired_status_running_whatever_the_last_status(ecs: Any) -> None:
    register(ecs, "slow", container(image=NEVER_PULLED))
    register_fargate(ecs, "slow-fargate", container(image=NEVER_PULLED))
    running = run_to(ecs, "app", "RUNNING")["taskArn"]
    (pending,) = run(ecs, "slow")
    (prepared,) = run_fargate(ecs, "slow-fargate")
    assert describe(ecs, pending)["lastStatus"] == "PENDING"
    assert describe(ecs, prepared)["lastStatus"] in ("PROVISIONING", "PENDING")
    assert listed(ecs) == listed(ecs, desiredStatus="RUNNING") == [running, pending, prepared]


def test_a_task_that_begins_to_stop_leaves_running_and_enters_stopped_at_once(ecs: Any) -> None:
    slow = container(dockerLabels=simulated(stop_delay_ms=60_000), stopTimeout=120)
    register(ecs, "lingers", slow)
    arn = run_to(ecs, "lingers", "RUNNING")["taskArn"]
    ecs.stop_task(task=arn)
    assert describe(ecs, arn)["lastStatus"] == "RUNNING"
    assert listed(ecs) == []
    assert listed(ecs, desiredStatus="STOPPED") == [arn]


def test_stopped_lists_what_has_stopped_however_it_did(ecs: Any) -> None:
    register(ecs, "exits", container(dockerLabels=simulated(exit_code=3)))
    exited = run_to(ecs, "exits", "STOPPED")["taskArn"]
    stopped = stop_and_wait(ecs, run_to(ecs, "app", "RUNNING")["taskArn"])["taskArn"]
    (running,) = run(ecs, "app")
    assert listed(ecs, desiredStatus="STOPPED") == [exited, stopped]
    assert listed(ecs) == [running]


def test_stopped_tasks_stay_across_a_restart(simulated_server: Server, ecs: Any) -> None:
    stopped = stop_and_wait(ecs, run(ecs, "app")[0])["taskArn"]
    simulated_server.restart()
    assert listed(simulated_server.ecs, desiredStatus="STOPPED") == [stopped]


def test_desired_status_pending_is_legal_and_lists_nothing(ecs: Any) -> None:
    register(ecs, "slow", container(image=NEVER_PULLED))
    (arn,) = run(ecs, "slow")
    assert describe(ecs, arn)["lastStatus"] == "PENDING"
    assert pages(ecs, desiredStatus="PENDING") == [[]]
    assert pages(ecs, desiredStatus="PENDING", family="slow", maxResults=1) == [[]]


def test_the_default_cluster_is_there_before_anything_was_written(
    simulated_server: Server,
) -> None:
    assert pages(simulated_server.ecs) == [[]]
    assert pages(simulated_server.ecs, cluster="default") == [[]]


def test_a_deleted_cluster_is_refused_and_its_successor_starts_empty(ecs: Any) -> None:
    ecs.create_cluster(clusterName="brief")
    stop_and_wait(ecs, run(ecs, "app", cluster="brief")[0])
    ecs.delete_cluster(cluster="brief")
    assert refused(ecs.list_tasks, cluster="brief") == (
        "ClusterNotFoundException",
        "The referenced cluster was inactive.",
    )
    ecs.create_cluster(clusterName="brief")
    assert listed(ecs, cluster="brief") == []
    assert listed(ecs, cluster="brief", desiredStatus="STOPPED") == []
    again = run(ecs, "app", cluster="brief")
    assert listed(ecs, cluster="brief") == again


# Order and pages.


def test_the_order_is_that_of_creation_across_pages_and_after_stops(ecs: Any) -> None:
    register(ecs, "other")
    arns = [run(ecs, family)[0] for family in ["app", "other"] * 6]
    for arn in arns[1::3]:
        stop_and_wait(ecs, arn)
    left = [arn for i, arn in enumerate(arns) if i % 3 != 1]
    for size in (1, 3, 8, 100):
        assert listed(ecs, maxResults=size) == left
    assert listed(ecs, desiredStatus="STOPPED", maxResults=2) == arns[1::3]
    assert listed(ecs, family="other", maxResults=2) == [a for a in arns[1::2] if a in left]


def test_a_page_holds_100_tasks_unless_told_otherwise(start_server: Any) -> None:
    ecs = start_server(engine_kind="simulated", options=["--builtin-memory", "100000"]).ecs
    register(ecs)
    arns = [arn for _ in range(10) for arn in run(ecs, "app", 10)]
    assert [len(p) for p in pages(ecs)] == [100]
    arns += run(ecs, "app")
    assert [len(p) for p in pages(ecs)] == [100, 1]
    assert [len(p) for p in pages(ecs, maxResults=100)] == [100, 1]
    assert [len(p) for p in pages(ecs, maxResults=40)] == [40, 40, 21]
    assert listed(ecs) == arns


def test_next_token_is_there_exactly_when_more_follows(ecs: Any) -> None:
    run(ecs, "app", 3)
    assert "nextToken" not in ecs.list_tasks(maxResults=3)
    assert "nextToken" not in ecs.list_tasks()
    first = ecs.list_tasks(maxResults=2)
    assert len(first["taskArns"]) == 2
    last = ecs.list_tasks(maxResults=2, nextToken=first["nextToken"])
    assert len(last["taskArns"]) == 1
    assert "nextToken" not in last


def test_the_paginator_of_boto3_walks_all_pages(ecs: Any) -> None:
    arns = run(ecs, "app", 7)
    paginator = ecs.get_paginator("list_tasks")
    assert [len(p["taskArns"]) for p in paginator.paginate(maxResults=3)] == [3, 3, 1]
    assert paginator.paginate(maxResults=3).build_full_result()["taskArns"] == arns


@pytest.mark.parametrize("size", [1, 2, 99, 100])
def test_max_results_from_1_to_100(ecs: Any, size: int) -> None:
    run(ecs, "app", 2)
    assert len(ecs.list_tasks(maxResults=size)["taskArns"]) == min(size, 2)


# Scopes.


def test_another_region_is_another_world(simulated_server: Server, ecs: Any) -> None:
    far = clients.ecs(simulated_server.endpoint, region="eu-west-1")
    (here,) = run(ecs, "app")
    assert listed(far) == []
    assert refused(far.run_task, taskDefinition="app") == (
        "ClientException",
        "TaskDefinition not found.",
    )
    register(far)
    (there,) = run(far, "app")
    assert there.startswith("arn:aws:ecs:eu-west-1:000000000000:task/default/")
    assert listed(far) == [there]
    assert listed(ecs) == [here]


# The wire.


def test_no_match_is_an_empty_list_and_nothing_else(simulated_server: Server) -> None:
    answer = wire.post(simulated_server.endpoint, "ListTasks")
    assert (answer.status, answer.json) == (200, {"taskArns": []})


def test_the_last_page_has_no_next_token_and_nothing_is_null(
    simulated_server: Server, ecs: Any
) -> None:
    arns = run(ecs, "app", 2)
    answer = wire.post(simulated_server.endpoint, "ListTasks")
    assert answer.json == {"taskArns": arns}
    first = wire.post(simulated_server.endpoint, "ListTasks", {"maxResults": 1}).json
    assert set(first) == {"taskArns", "nextToken"}
    assert isinstance(first["nextToken"], str)


def test_unknown_members_are_ignored_and_null_is_absent(
    simulated_server: Server, ecs: Any
) -> None:
    arns = run(ecs, "app", 2)
    members = ["cluster", "containerInstance", "family", "serviceName", "startedBy", "daemonName"]
    members += ["launchType", "desiredStatus", "maxResults", "nextToken"]
    nulls = {name: None for name in members}
    for body in [nulls, {"colour": "blue"}, {"Cluster": "x", "nested": {"a": [1]}}, b""]:
        answer = wire.post(simulated_server.endpoint, "ListTasks", body)
        assert (answer.status, answer.json) == (200, {"taskArns": arns}), body


@pytest.mark.parametrize(
    "body",
    [
        {"cluster": 1},
        {"family": ["app"]},
        {"maxResults": "10"},
        {"maxResults": 1.5},
        {"maxResults": 2**40},
        {"desiredStatus": 5},
        {"launchType": {}},
        {"nextToken": True},
        [],
        "text",
    ],
)
def test_a_wrong_json_type_is_a_serialization_exception(
    simulated_server: Server, body: Any
) -> None:
    answer = wire.post(simulated_server.endpoint, "ListTasks", body)
    assert (answer.status, answer.json["__type"]) == (400, "SerializationException")


def test_list_and_describe_agree_on_every_listed_task(ecs: Any) -> None:
    arns = run(ecs, "app", 3)
    stop_and_wait(ecs, arns[1])
    wait_status(ecs, arns[0], "RUNNING")
    for status in ("RUNNING", "STOPPED"):
        found = listed(ecs, desiredStatus=status)
        answer = ecs.describe_tasks(tasks=found)
        assert answer["failures"] == []
        assert {t["desiredStatus"] for t in answer["tasks"]} == {status}
        assert sorted(t["taskArn"] for t in answer["tasks"]) == sorted(found)


def test_an_unknown_container_instance_of_another_cluster(ecs: Any) -> None:
    ecs.create_cluster(clusterName="other")
    arn = f"arn:aws:ecs:us-east-1:000000000000:container-instance/other/{UNKNOWN_ID}"
    assert refused(ecs.list_tasks, containerInstance=arn) == (
        "InvalidParameterException",
        "Invalid identifier: Identifier is for cluster other. Your cluster is default",
    )
