"""ListTasks' filters: each alone, their combinations, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.ecs_calls import (
    invalid,
    listed,
    pages,
    refused,
    register,
    register_fargate,
    run,
    run_fargate,
    stop_and_wait,
)
from harness.server import Server

ID = "0123456789abcdef" * 2
PREFIX = "arn:aws:ecs:us-east-1:000000000000"
NOT_ALONE = invalid("cannot specify startedBy with other arguments")
SERVICE_NOT_ALONE = invalid("cannot specify serviceName with other arguments")


@pytest.fixture
def ecs(simulated_server: Server) -> Any:
    """A client of a server without containers, with the family `app` registered."""
    register(simulated_server.ecs)
    return simulated_server.ecs


# Each filter alone.


def test_family_is_exact_and_takes_all_revisions(ecs: Any) -> None:
    register(ecs, "app-2")
    register(ecs)
    arns = run(ecs, "app:1") + run(ecs, "app:2")
    run(ecs, "app-2")
    assert listed(ecs, family="app") == arns
    assert listed(ecs, family="ap") == []
    assert listed(ecs, family="App") == []


def test_an_unknown_family_lists_nothing(ecs: Any) -> None:
    run(ecs, "app")
    assert pages(ecs, family="nobody") == [[]]


def test_family_matches_whatever_the_group_is(ecs: Any) -> None:
    arns = run(ecs, "app") + run(ecs, "app", group="batch")
    assert listed(ecs, family="app") == arns


def test_started_by_is_exact_not_a_prefix(ecs: Any) -> None:
    arns = run(ecs, "app", 2, startedBy="nightly")
    run(ecs, "app", startedBy="nightly-2")
    run(ecs, "app")
    assert listed(ecs, startedBy="nightly") == arns
    assert listed(ecs, startedBy="night") == []
    assert listed(ecs, startedBy="Nightly") == []


@pytest.mark.parametrize("text", ["abc:def", "a.b/c_d-e", "x" * 128])
def test_started_by_takes_what_run_task_takes(ecs: Any, text: str) -> None:
    arns = run(ecs, "app", startedBy=text)
    assert listed(ecs, startedBy=text) == arns


def test_launch_type(ecs: Any) -> None:
    register_fargate(ecs)
    on_ec2 = run(ecs, "app", launchType="EC2")
    on_fargate = run_fargate(ecs, "fargate")
    external = run(ecs, "app", launchType="EXTERNAL")
    assert listed(ecs, launchType="EC2") == on_ec2
    assert listed(ecs, launchType="FARGATE") == on_fargate
    assert listed(ecs, launchType="EXTERNAL") == external
    assert listed(ecs, launchType="MANAGED_INSTANCES") == []


def test_container_instance_by_id_and_by_arn_and_never_fargate(ecs: Any) -> None:
    register_fargate(ecs)
    on_instance = run(ecs, "app", 2)
    run_fargate(ecs, "fargate")
    (arn,) = ecs.list_container_instances()["containerInstanceArns"]
    assert listed(ecs, containerInstance=arn) == on_instance
    assert listed(ecs, containerInstance=arn.rsplit("/", 1)[1]) == on_instance


def test_an_unknown_container_instance_lists_nothing(ecs: Any) -> None:
    run(ecs, "app")
    arn = f"{PREFIX}:container-instance/default/{ID}"
    assert pages(ecs, containerInstance=ID) == pages(ecs, containerInstance=arn) == [[]]


@pytest.mark.parametrize(
    "identifier",
    ["x", ID[:-1], ID + "0", ID.upper(), f"{PREFIX}:task/default/{ID}", "arn:aws:ecs", ""],
)
def test_a_malformed_container_instance_is_refused(ecs: Any, identifier: str) -> None:
    wanted = invalid("Container Instance Identifier is invalid")
    assert refused(ecs.list_tasks, containerInstance=identifier) == wanted


def test_an_unknown_service_is_refused_by_name_and_by_arn(ecs: Any) -> None:
    wanted = ("ServiceNotFoundException", "Service not found.")
    for name in ("web", f"{PREFIX}:service/default/web"):
        assert refused(ecs.list_tasks, serviceName=name) == wanted


def test_a_service_of_another_cluster_is_refused(ecs: Any) -> None:
    ecs.create_cluster(clusterName="other")
    arn = f"{PREFIX}:service/other/web"
    assert refused(ecs.list_tasks, serviceName=arn) == invalid(
        "Invalid identifier: Identifier is for cluster other. Your cluster is default"
    )


def test_a_daemon_without_tasks_lists_nothing(ecs: Any) -> None:
    run(ecs, "app")
    assert pages(ecs, daemonName="logs") == [[]]


# Combinations.


def test_filters_that_go_together_are_all_met(ecs: Any) -> None:
    register_fargate(ecs, "app-f")
    register(ecs, "other")
    app, external = run(ecs, "app", 3), run(ecs, "app", launchType="EXTERNAL")
    fargate, other = run_fargate(ecs, "app-f"), run(ecs, "other")
    stop_and_wait(ecs, app[0])
    (instance,) = ecs.list_container_instances()["containerInstanceArns"]
    assert listed(ecs, family="app", launchType="EC2") == app[1:]
    assert listed(ecs, family="app", launchType="EXTERNAL") == external
    assert listed(ecs, family="app", launchType="FARGATE") == []
    assert listed(ecs, family="app-f", launchType="FARGATE") == fargate
    assert listed(ecs, family="app", containerInstance=instance) == app[1:] + external
    assert listed(ecs, containerInstance=instance, launchType="EC2") == app[1:] + other
    assert listed(ecs, containerInstance=instance, launchType="FARGATE") == []
    assert (
        listed(ecs, family="app", containerInstance=instance, launchType="EXTERNAL") == external
    )
    assert listed(ecs, family="app", desiredStatus="STOPPED") == app[:1]
    assert listed(ecs, launchType="EC2", desiredStatus="STOPPED") == app[:1]
    assert listed(ecs, containerInstance=instance, desiredStatus="STOPPED") == app[:1]
    assert listed(ecs, family="other", desiredStatus="STOPPED") == []
    daemon = {"daemonName": "logs"}
    for more in ({"family": "app"}, {"containerInstance": ID}, {"launchType": "EC2"}):
        assert pages(ecs, **daemon, **more, desiredStatus="RUNNING") == [[]]


def test_started_by_goes_with_desired_status_cluster_and_pages(ecs: Any) -> None:
    arns = run(ecs, "app", 3, startedBy="me")
    stop_and_wait(ecs, arns[0])
    assert listed(ecs, startedBy="me", desiredStatus="STOPPED", cluster="default") == arns[:1]
    assert pages(ecs, startedBy="me", maxResults=1) == [[arns[1]], [arns[2]]]


@pytest.mark.parametrize(
    "other",
    [
        {"family": "app"},
        {"launchType": "EC2"},
        {"serviceName": "web"},
        {"containerInstance": ID},
        {"daemonName": "logs"},
        {"family": "app", "launchType": "EC2", "desiredStatus": "RUNNING"},
    ],
)
def test_started_by_excludes_every_other_filter(ecs: Any, other: dict[str, str]) -> None:
    assert refused(ecs.list_tasks, startedBy="me", **other) == NOT_ALONE


@pytest.mark.parametrize(
    "other", [{"family": "app"}, {"containerInstance": ID}, {"daemonName": "logs"}]
)
def test_service_name_excludes_all_but_launch_type(ecs: Any, other: dict[str, str]) -> None:
    assert refused(ecs.list_tasks, serviceName="web", **other) == SERVICE_NOT_ALONE


@pytest.mark.parametrize("other", [{"launchType": "EC2"}, {"desiredStatus": "STOPPED"}])
def test_service_name_goes_with_launch_type_and_status(ecs: Any, other: dict[str, str]) -> None:
    wanted = ("ServiceNotFoundException", "Service not found.")
    assert refused(ecs.list_tasks, serviceName="web", **other) == wanted


# What is refused.


@pytest.mark.parametrize("size", [0, -1, 101, -(2**31), 2**31 - 1])
def test_max_results_outside_1_to_100_is_refused(ecs: Any, size: int) -> None:
    wanted = invalid("maxResults should be between 1 and 100")
    assert refused(ecs.list_tasks, maxResults=size) == wanted


@pytest.mark.parametrize("family", ["a b", "app:1", "app/1", "ä", ""])
def test_a_family_with_bad_characters_is_refused(ecs: Any, family: str) -> None:
    wanted = invalid(r"family must match ^[a-zA-Z0-9\\-_]+$")
    assert refused(ecs.list_tasks, family=family) == wanted


def test_started_by_longer_than_128_is_refused_under_its_inner_name(ecs: Any) -> None:
    wanted = invalid("ownerId longer than 128.")
    assert refused(ecs.list_tasks, startedBy="x" * 129) == wanted


@pytest.mark.parametrize("status", ["running", "PROVISIONING", ""])
def test_an_unknown_desired_status_is_refused(ecs: Any, status: str) -> None:
    refusal = refused(ecs.list_tasks, desiredStatus=status)
    assert refusal.code == "InvalidParameterException"
    assert refusal.message.endswith("should be one of [RUNNING,PENDING,STOPPED]")


@pytest.mark.parametrize("launch_type", ["ec2", "SPOT", ""])
def test_an_unknown_launch_type_is_refused(ecs: Any, launch_type: str) -> None:
    refusal = refused(ecs.list_tasks, launchType=launch_type)
    assert refusal.code == "InvalidParameterException"
    assert refusal.message.startswith("launch type should be one of [EC2,FARGATE,EXTERNAL")


@pytest.mark.parametrize(
    "cluster",
    [
        "nobody",
        f"{PREFIX}:cluster/nobody",
        "arn:aws:ecs:eu-west-1:000000000000:cluster/default",
        "arn:aws:ecs:us-east-1:999999999999:cluster/default",
    ],
)
def test_a_cluster_that_is_not_there(ecs: Any, cluster: str) -> None:
    wanted = ("ClusterNotFoundException", "Cluster not found.")
    assert refused(ecs.list_tasks, cluster=cluster) == wanted


@pytest.mark.parametrize("cluster", ["a b", "", "x" * 256, "cluster/default"])
def test_a_cluster_name_with_bad_characters_is_refused(ecs: Any, cluster: str) -> None:
    wanted = rf"Cluster must match ^[a-zA-Z0-9\-_]{{1,255}}$, but was {cluster}"
    assert refused(ecs.list_tasks, cluster=cluster) == invalid(wanted)


def test_an_arn_that_is_no_clusters_is_refused(ecs: Any) -> None:
    wanted = invalid("Unsupported resource type: service")
    assert refused(ecs.list_tasks, cluster=f"{PREFIX}:service/default/web") == wanted


ORDER: list[tuple[dict[str, Any], Callable[[tuple[str, str]], bool]]] = [
    ({"nextToken": "junk"}, lambda r: r == invalid("Invalid token")),
    ({"serviceName": "nobody"}, lambda r: r[0] == "ServiceNotFoundException"),
    ({"cluster": "nobody"}, lambda r: r[0] == "ClusterNotFoundException"),
    ({"daemonName": "logs"}, lambda r: r == SERVICE_NOT_ALONE),
    ({"startedBy": "me"}, lambda r: r == NOT_ALONE),
    ({"maxResults": 0}, lambda r: r == invalid("maxResults should be between 1 and 100")),
]


def test_the_checks_come_in_order_shapes_combinations_cluster_service_token(ecs: Any) -> None:
    request: dict[str, Any] = {}
    for wrong, is_said in ORDER:
        request |= wrong
        assert is_said(refused(ecs.list_tasks, **request)), request
