"""The built-in node's container instances: who joins, what is listed and described."""

from typing import Any

import pytest

from harness.ecs_calls import (
    container,
    invalid,
    refused,
    register,
    register_fargate,
    run,
    run_fargate,
    run_to,
    stop_and_wait,
    wait_status,
)
from harness.server import Server

PREFIX = "arn:aws:ecs:us-east-1:000000000000:container-instance/"
ID = "0123456789abcdef" * 2
SIZE = ["--builtin-cpu", "4096", "--builtin-memory", "2048"]


@pytest.fixture
def ecs(start_server: Any) -> Any:
    """A client of a server without containers but with 4096 CPU units and 2048 MiB."""
    ecs = start_server(engine_kind="simulated", options=SIZE).ecs
    register(ecs, "app", container(cpu=100, memory=200))
    return ecs


def instances(ecs: Any, **filters: Any) -> list[str]:
    """ARNs of the instances."""
    return ecs.list_container_instances(**filters)["containerInstanceArns"]


def the_instance(ecs: Any, **members: Any) -> dict[str, Any]:
    """The one instance of the default cluster, described."""
    (arn,) = instances(ecs)
    answer = ecs.describe_container_instances(containerInstances=[arn], **members)
    assert answer["failures"] == []
    return answer["containerInstances"][0]


def numbers(resources: list[dict[str, Any]]) -> dict[str, int]:
    """CPU and MEMORY of a list of resources."""
    return {r["name"]: r["integerValue"] for r in resources if r["type"] == "INTEGER"}


def test_a_cluster_has_no_instance_before_its_first_ec2_task(ecs: Any) -> None:
    register_fargate(ecs)
    run_fargate(ecs, "fargate")
    assert instances(ecs) == []
    run(ecs, "app")
    (arn,) = instances(ecs)
    assert arn.startswith(f"{PREFIX}default/")
    run(ecs, "app")
    assert instances(ecs) == [arn]


def test_each_cluster_gets_an_instance_of_its_own(ecs: Any) -> None:
    ecs.create_cluster(clusterName="other")
    run(ecs, "app")
    run(ecs, "app", cluster="other")
    (here,), (there,) = instances(ecs), instances(ecs, cluster="other")
    assert here.rsplit("/", 1)[1] != there.rsplit("/", 1)[1]
    assert there.startswith(f"{PREFIX}other/")


def test_an_instance_stays_the_same_across_a_restart(start_server: Any) -> None:
    server: Server = start_server(engine_kind="simulated")
    register(server.ecs)
    run(server.ecs, "app")
    before = instances(server.ecs)
    server.restart()
    assert instances(server.ecs) == before


def test_the_described_instance(ecs: Any) -> None:
    run_to(ecs, "app", "RUNNING")
    instance = the_instance(ecs)
    assert (instance["status"], instance["agentConnected"]) == ("ACTIVE", True)
    assert (instance["runningTasksCount"], instance["pendingTasksCount"]) == (1, 0)
    assert (instance["attachments"], instance["tags"]) == ([], [])
    assert instance["version"] >= 1
    assert "healthStatus" not in instance
    names = {attribute["name"] for attribute in instance["attributes"]}
    assert {"ecs.cpu-architecture", "ecs.os-type"} <= names


def test_remaining_is_registered_less_what_tasks_hold(ecs: Any) -> None:
    arns = run(ecs, "app", 3)
    instance = the_instance(ecs)
    assert numbers(instance["registeredResources"]) == {"CPU": 4096, "MEMORY": 2048}
    assert numbers(instance["remainingResources"]) == {"CPU": 3796, "MEMORY": 1448}
    stop_and_wait(ecs, arns[0])
    remaining = the_instance(ecs)["remainingResources"]
    assert numbers(remaining) == {"CPU": 3896, "MEMORY": 1648}


def test_fargate_and_every_cluster_share_one_ledger(ecs: Any) -> None:
    register_fargate(ecs)
    ecs.create_cluster(clusterName="other")
    run(ecs, "app")
    run(ecs, "app", cluster="other")
    run_fargate(ecs, "fargate")
    remaining = numbers(the_instance(ecs)["remainingResources"])
    assert remaining == {"CPU": 4096 - 200 - 256, "MEMORY": 2048 - 400 - 512}


def test_resources_carry_every_number_and_ports_in_use_are_listed(ecs: Any) -> None:
    ports = [{"containerPort": 80, "hostPort": 8080}]
    register(ecs, "web", container(portMappings=ports))
    wait_status(ecs, run(ecs, "web")[0], "RUNNING")
    instance = the_instance(ecs)
    cpu = next(r for r in instance["registeredResources"] if r["name"] == "CPU")
    assert (cpu["doubleValue"], cpu["longValue"], cpu["integerValue"]) == (0.0, 0, 4096)
    used = {r["name"]: r.get("stringSetValue") for r in instance["remainingResources"]}
    assert "8080" in used["PORTS"]
    registered = {r["name"]: r.get("stringSetValue") for r in instance["registeredResources"]}
    assert "8080" not in registered["PORTS"]


def test_health_and_tags_come_only_when_asked_for(ecs: Any) -> None:
    run(ecs, "app")
    instance = the_instance(ecs, include=["CONTAINER_INSTANCE_HEALTH", "TAGS"])
    assert instance["healthStatus"]["overallStatus"] == "OK"
    ecs.tag_resource(
        resourceArn=instance["containerInstanceArn"], tags=[{"key": "rack", "value": "7"}]
    )
    assert the_instance(ecs)["tags"] == []
    assert the_instance(ecs, include=["TAGS"])["tags"] == [{"key": "rack", "value": "7"}]


def test_status_chooses(ecs: Any) -> None:
    run(ecs, "app")
    assert len(instances(ecs, status="ACTIVE")) == 1
    assert instances(ecs, status="DRAINING") == []


def test_unknown_ones_are_failures_and_malformed_ones_refused(ecs: Any) -> None:
    call = ecs.describe_container_instances
    answer = call(containerInstances=[ID])
    assert answer["failures"] == [{"arn": f"{PREFIX}default/{ID}", "reason": "MISSING"}]
    wanted = invalid("Container Instance Identifier is invalid")
    assert refused(call, containerInstances=["x"]) == wanted
    ecs.create_cluster(clusterName="other")
    arn = f"{PREFIX}other/{ID}"
    assert refused(call, containerInstances=[arn]) == invalid(
        "Invalid identifier: Identifier is for cluster other. Your cluster is default"
    )


def test_the_cluster_must_be_there(ecs: Any) -> None:
    wanted = ("ClusterNotFoundException", "Cluster not found.")
    assert refused(ecs.list_container_instances, cluster="nobody") == wanted


def test_the_instance_leaves_with_its_cluster(ecs: Any) -> None:
    ecs.create_cluster(clusterName="brief")
    stop_and_wait(ecs, run(ecs, "app", cluster="brief")[0])
    ecs.delete_cluster(cluster="brief")
    ecs.create_cluster(clusterName="brief")
    assert instances(ecs, cluster="brief") == []
