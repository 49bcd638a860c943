"""The six operations on clusters."""

from typing import Any

import pytest

from harness import wire
from harness.ecs_calls import (
    container,
    describe,
    invalid,
    listed,
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

PREFIX = "arn:aws:ecs:us-east-1:000000000000:cluster/"
INACTIVE = ("ClusterNotFoundException", "The referenced cluster was inactive.")
NOT_FOUND = ("ClusterNotFoundException", "Cluster not found.")


@pytest.fixture
def ecs(simulated_server: Server) -> Any:
    """A client of a server without containers."""
    return simulated_server.ecs


def described(ecs: Any, name: str, *include: str) -> dict[str, Any]:
    """One cluster that must be there."""
    answer = ecs.describe_clusters(clusters=[name], include=list(include))
    assert answer["failures"] == []
    return answer["clusters"][0]


# CreateCluster.


def test_a_new_cluster_is_active_and_empty(ecs: Any) -> None:
    cluster = ecs.create_cluster(clusterName="blue")["cluster"]
    assert cluster == {
        "clusterArn": f"{PREFIX}blue",
        "clusterName": "blue",
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": 0,
        "pendingTasksCount": 0,
        "activeServicesCount": 0,
        "statistics": [],
        "tags": [],
        "settings": [{"name": "containerInsights", "value": "disabled"}],
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    }


def test_the_name_is_default_when_absent(ecs: Any) -> None:
    assert ecs.create_cluster()["cluster"]["clusterArn"] == f"{PREFIX}default"


def test_creating_again_answers_the_same_cluster(ecs: Any) -> None:
    first = ecs.create_cluster(clusterName="blue", tags=[{"key": "a", "value": "1"}])
    again = ecs.create_cluster(clusterName="blue")
    assert again["cluster"] == first["cluster"]
    assert ecs.list_clusters()["clusterArns"].count(f"{PREFIX}blue") == 1


def test_creating_again_with_other_settings_is_refused(ecs: Any) -> None:
    ecs.create_cluster(clusterName="blue")
    settings = [{"name": "containerInsights", "value": "enabled"}]
    assert refused(ecs.create_cluster, clusterName="blue", settings=settings) == invalid(
        "Arguments on this idempotent request are inconsistent with arguments used in "
        "previous request(s)."
    )


@pytest.mark.parametrize("name", ["a b", "x" * 256, "a/b", "ä"])
def test_a_bad_name_is_refused(ecs: Any, name: str) -> None:
    wanted = rf"Cluster must match ^[a-zA-Z0-9\-_]{{1,255}}$, but was {name}"
    assert refused(ecs.create_cluster, clusterName=name) == invalid(wanted)


def test_an_unknown_capacity_provider_is_refused(ecs: Any) -> None:
    refusal = refused(ecs.create_cluster, clusterName="blue", capacityProviders=["mine"])
    assert refusal == invalid(
        "The specified capacity provider was not found. Specify a valid capacity provider and "
        "try again."
    )


# DescribeClusters.


def test_include_fills_in_what_is_otherwise_empty(ecs: Any) -> None:
    tags = [{"key": "team", "value": "blue"}]
    ecs.create_cluster(clusterName="blue", tags=tags)
    bare = described(ecs, "blue")
    assert (bare["statistics"], bare["tags"], bare["settings"]) == ([], [], [])
    full = described(ecs, "blue", "STATISTICS", "TAGS", "SETTINGS")
    assert full["tags"] == tags
    assert full["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    names = {pair["name"]: pair["value"] for pair in full["statistics"]}
    assert names["runningEC2TasksCount"] == "0"
    assert {"pendingEC2TasksCount", "runningFargateTasksCount", "activeEC2ServiceCount",
            "pendingFargateTasksCount", "drainingFargateServiceCount"} <= set(names)  # fmt: skip


def test_counts_follow_the_tasks(ecs: Any) -> None:
    register(ecs)
    register_fargate(ecs)
    running = run_to(ecs, "app", "RUNNING")["taskArn"]
    wait_status(ecs, run_fargate(ecs, "fargate")[0], "RUNNING")
    cluster = described(ecs, "default", "STATISTICS")
    statistics = {pair["name"]: pair["value"] for pair in cluster["statistics"]}
    assert (cluster["runningTasksCount"], cluster["pendingTasksCount"]) == (2, 0)
    assert cluster["registeredContainerInstancesCount"] == 1
    assert statistics["runningEC2TasksCount"] == statistics["runningFargateTasksCount"] == "1"
    stop_and_wait(ecs, running)
    assert described(ecs, "default")["runningTasksCount"] == 1


def test_default_is_described_when_nothing_is_named_and_before_it_is_written(ecs: Any) -> None:
    answer = ecs.describe_clusters()
    assert [c["clusterName"] for c in answer["clusters"]] == ["default"]
    assert answer["clusters"][0]["status"] == "ACTIVE"


def test_an_unknown_cluster_is_a_failure(ecs: Any) -> None:
    answer = ecs.describe_clusters(clusters=["nobody", "default"])
    assert [c["clusterName"] for c in answer["clusters"]] == ["default"]
    assert answer["failures"] == [{"arn": f"{PREFIX}nobody", "reason": "MISSING"}]


def test_a_cluster_is_described_once_however_often_it_is_named(ecs: Any) -> None:
    names = ["default", f"{PREFIX}default", "default"]
    assert len(ecs.describe_clusters(clusters=names)["clusters"]) == 1


# ListClusters.


def test_clusters_are_listed_in_pages(ecs: Any) -> None:
    names = [f"c{n}" for n in range(5)]
    for name in names:
        ecs.create_cluster(clusterName=name)
    pages = list(ecs.get_paginator("list_clusters").paginate(maxResults=2))
    found = [arn for page in pages for arn in page["clusterArns"]]
    assert sorted(found) == sorted(f"{PREFIX}{name}" for name in [*names, "default"])
    assert [len(page["clusterArns"]) for page in pages] == [2, 2, 2]


def test_wrong_pages_are_refused(ecs: Any) -> None:
    assert refused(ecs.list_clusters, nextToken="junk") == invalid("Invalid token")
    refusal = refused(ecs.list_clusters, maxResults=101)
    assert refusal == invalid("maxResults should be between 1 and 100")


# UpdateCluster and UpdateClusterSettings.


@pytest.mark.parametrize("operation", ["update_cluster", "update_cluster_settings"])
def test_settings_are_updated(ecs: Any, operation: str) -> None:
    ecs.create_cluster(clusterName="blue")
    settings = [{"name": "containerInsights", "value": "enabled"}]
    answer = getattr(ecs, operation)(cluster="blue", settings=settings)
    assert answer["cluster"]["settings"] == settings
    assert described(ecs, "blue", "SETTINGS")["settings"] == settings


def test_a_configuration_is_updated_and_shown_on_request(ecs: Any) -> None:
    ecs.create_cluster(clusterName="blue")
    configuration = {"executeCommandConfiguration": {"logging": "NONE"}}
    ecs.update_cluster(cluster="blue", configuration=configuration)
    assert described(ecs, "blue", "CONFIGURATIONS")["configuration"] == configuration
    assert "configuration" not in described(ecs, "blue")


@pytest.mark.parametrize("operation", ["update_cluster", "update_cluster_settings"])
def test_an_unknown_or_inactive_cluster_is_not_updated(ecs: Any, operation: str) -> None:
    call = getattr(ecs, operation)
    settings = [{"name": "containerInsights", "value": "enabled"}]
    assert refused(call, cluster="nobody", settings=settings) == NOT_FOUND
    ecs.create_cluster(clusterName="brief")
    ecs.delete_cluster(cluster="brief")
    assert refused(call, cluster="brief", settings=settings) == INACTIVE


# DeleteCluster.


def test_a_cluster_with_tasks_is_not_deleted_until_they_have_stopped(ecs: Any) -> None:
    slow = container(dockerLabels=simulated(stop_delay_ms=1000))
    register(ecs, "app", slow)
    ecs.create_cluster(clusterName="blue")
    arn = run_to(ecs, "app", "RUNNING", cluster="blue")["taskArn"]
    wanted = (
        "ClusterContainsTasksException",
        "The Cluster cannot be deleted while Tasks are active.",
    )
    assert refused(ecs.delete_cluster, cluster="blue") == wanted
    ecs.stop_task(cluster="blue", task=arn)
    assert describe(ecs, arn)["lastStatus"] == "RUNNING"
    assert refused(ecs.delete_cluster, cluster="blue") == wanted
    wait_status(ecs, arn, "STOPPED")
    assert ecs.delete_cluster(cluster="blue")["cluster"]["status"] == "INACTIVE"


def test_the_builtin_instance_does_not_stand_in_the_way(ecs: Any) -> None:
    register(ecs)
    ecs.create_cluster(clusterName="blue")
    stop_and_wait(ecs, run(ecs, "app", cluster="blue")[0])
    assert described(ecs, "blue")["registeredContainerInstancesCount"] == 1
    assert ecs.delete_cluster(cluster=f"{PREFIX}blue")["cluster"]["status"] == "INACTIVE"


def test_a_deleted_cluster_vanishes_from_the_list_and_is_described_inactive(ecs: Any) -> None:
    ecs.create_cluster(clusterName="blue")
    ecs.delete_cluster(cluster="blue")
    assert f"{PREFIX}blue" not in ecs.list_clusters()["clusterArns"]
    assert described(ecs, "blue")["status"] == "INACTIVE"
    assert ecs.delete_cluster(cluster="blue")["cluster"]["status"] == "INACTIVE"


def test_a_deleted_cluster_runs_and_lists_nothing(ecs: Any) -> None:
    register(ecs)
    ecs.create_cluster(clusterName="blue")
    ecs.delete_cluster(cluster="blue")
    assert refused(ecs.run_task, cluster="blue", taskDefinition="app") == INACTIVE
    assert refused(ecs.list_tasks, cluster="blue") == INACTIVE


def test_an_unknown_cluster_cannot_be_deleted(ecs: Any) -> None:
    assert refused(ecs.delete_cluster, cluster="nobody") == NOT_FOUND


def test_a_deleted_name_is_revived_as_a_fresh_cluster(ecs: Any) -> None:
    register(ecs)
    settings = [{"name": "containerInsights", "value": "enabled"}]
    ecs.create_cluster(clusterName="blue", settings=settings, tags=[{"key": "a", "value": "1"}])
    old = stop_and_wait(ecs, run(ecs, "app", cluster="blue")[0])["taskArn"]
    ecs.delete_cluster(cluster="blue")
    fresh = ecs.create_cluster(clusterName="blue")["cluster"]
    assert (fresh["status"], fresh["tags"]) == ("ACTIVE", [])
    assert fresh["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert listed(ecs, cluster="blue", desiredStatus="STOPPED") == []
    answer = ecs.describe_tasks(cluster="blue", tasks=[old])
    assert answer["failures"] == [{"arn": old, "reason": "MISSING"}]


def test_default_can_be_deleted_and_stays_so_across_a_restart(
    simulated_server: Server, ecs: Any
) -> None:
    ecs.delete_cluster(cluster="default")
    simulated_server.restart()
    assert refused(simulated_server.ecs.list_tasks) == INACTIVE


def test_clusters_survive_a_kill(simulated_server: Server, ecs: Any) -> None:
    ecs.create_cluster(clusterName="blue", tags=[{"key": "a", "value": "1"}])
    simulated_server.kill9()
    simulated_server.start()
    again = described(simulated_server.ecs, "blue", "TAGS")
    assert again["tags"] == [{"key": "a", "value": "1"}]


def test_a_list_that_a_cluster_always_has_is_there_on_the_wire(
    simulated_server: Server,
) -> None:
    cluster = wire.post(simulated_server.endpoint, "DescribeClusters").json["clusters"][0]
    for name in ("statistics", "tags", "settings", "capacityProviders"):
        assert cluster[name] == []
