"""RunTask: what is run, what is recorded of it, failures and refusals."""

from typing import Any

import pytest

from harness.ecs_calls import (
    NEVER_PULLED,
    SUBNETS,
    TASK_ARN,
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
)
from harness.server import Server
from harness.wait import wait_until

NO_INSTANCES = invalid("No Container Instances were found in your cluster.")


@pytest.fixture
def ecs(simulated_server: Server) -> Any:
    """A client of a server without containers, with the family `app` registered."""
    register(simulated_server.ecs)
    return simulated_server.ecs


# Count.


@pytest.mark.parametrize("count", [1, 10])
def test_count_tasks_are_run(ecs: Any, count: int) -> None:
    arns = run(ecs, "app", count)
    assert len(set(arns)) == count
    assert all(TASK_ARN.fullmatch(arn) for arn in arns)
    assert listed(ecs) == arns


def test_one_task_is_run_without_a_count(ecs: Any) -> None:
    answer = ecs.run_task(taskDefinition="app")
    assert (len(answer["tasks"]), answer["failures"]) == (1, [])


@pytest.mark.parametrize("count", [0, -1, 11])
def test_other_counts_are_refused(ecs: Any, count: int) -> None:
    refusal = refused(ecs.run_task, taskDefinition="app", count=count)
    assert refusal.code == "InvalidParameterException"
    assert refusal.message == "count should be between 1 and 10"
    assert listed(ecs) == []


# The task definition.


def test_a_definition_is_named_in_each_way_and_the_latest_active_is_taken(ecs: Any) -> None:
    first = register(ecs, "web")
    second = register(ecs, "web")
    base = second.rsplit(":", 1)[0]
    for name, wanted in [
        ("web", second),
        ("web:1", first),
        (first, first),
        (second, second),
        (base, second),
    ]:
        assert describe(ecs, run(ecs, name)[0])["taskDefinitionArn"] == wanted
    ecs.deregister_task_definition(taskDefinition="web:2")
    assert describe(ecs, run(ecs, "web")[0])["taskDefinitionArn"] == first


@pytest.mark.parametrize("name", ["nobody", "app:9", "arn:aws:ecs:us-east-1:000000000000:x/y"])
def test_an_unknown_definition_is_refused(ecs: Any, name: str) -> None:
    wanted = ("ClientException", "TaskDefinition not found.")
    assert refused(ecs.run_task, taskDefinition=name) == wanted


def test_an_inactive_definition_is_refused(ecs: Any) -> None:
    ecs.deregister_task_definition(taskDefinition="app:1")
    assert refused(ecs.run_task, taskDefinition="app:1") == invalid("TaskDefinition is inactive")


# Clusters and places.


def test_the_cluster_must_be_there_and_active(ecs: Any) -> None:
    assert refused(ecs.run_task, taskDefinition="app", cluster="nobody") == (
        "ClusterNotFoundException",
        "Cluster not found.",
    )
    ecs.create_cluster(clusterName="brief")
    ecs.delete_cluster(cluster="brief")
    assert refused(ecs.run_task, taskDefinition="app", cluster="brief") == (
        "ClusterNotFoundException",
        "The referenced cluster was inactive.",
    )


def test_the_first_ec2_task_makes_the_builtin_node_join(ecs: Any) -> None:
    assert ecs.list_container_instances()["containerInstanceArns"] == []
    task = describe(ecs, run(ecs, "app")[0])
    joined = ecs.list_container_instances()["containerInstanceArns"]
    assert joined == [task["containerInstanceArn"]]


def test_without_a_builtin_node_an_ec2_task_is_refused_and_fargate_fails(
    start_server: Any,
) -> None:
    ecs = start_server(engine_kind="simulated", options=["--builtin-node", "none"]).ecs
    register(ecs)
    register_fargate(ecs)
    assert refused(ecs.run_task, taskDefinition="app") == NO_INSTANCES
    answer = ecs.run_task(
        taskDefinition="fargate", launchType="FARGATE", networkConfiguration=SUBNETS
    )
    assert answer["tasks"] == []
    (failure,) = answer["failures"]
    assert "arn" not in failure
    assert failure["reason"] == (
        "Capacity is unavailable at this time. Please try again later or in a different "
        "availability zone"
    )


@pytest.mark.parametrize(
    ("member", "reason"), [("memory", "RESOURCE:MEMORY"), ("cpu", "RESOURCE:CPU")]
)
def test_what_does_not_fit_is_a_failure_of_the_instance(
    start_server: Any, member: str, reason: str
) -> None:
    options = ["--builtin-cpu", "1000", "--builtin-memory", "1000"]
    ecs = start_server(engine_kind="simulated", options=options).ecs
    register(ecs, "big", container(**{"memory": 16, member: 400}))
    answer = ecs.run_task(taskDefinition="big", count=3)
    (instance,) = ecs.list_container_instances()["containerInstanceArns"]
    assert len(answer["tasks"]) == 2
    assert answer["failures"] == [{"arn": instance, "reason": reason}]
    again = ecs.run_task(taskDefinition="big")
    assert (again["tasks"], again["failures"]) == ([], answer["failures"])
    assert len(listed(ecs)) == 2


def test_a_host_port_is_given_once(ecs: Any) -> None:
    ports = [{"containerPort": 80, "hostPort": 8080}]
    register(ecs, "web", container(portMappings=ports))
    answer = ecs.run_task(taskDefinition="web", count=2)
    assert len(answer["tasks"]) == 1
    assert [f["reason"] for f in answer["failures"]] == ["RESOURCE:PORTS"]


def test_what_a_stopped_task_held_is_free_again(start_server: Any) -> None:
    ecs = start_server(engine_kind="simulated", options=["--builtin-memory", "100"]).ecs
    register(ecs, "big", container(memory=80))
    first = run_to(ecs, "big", "RUNNING")
    assert ecs.run_task(taskDefinition="big")["tasks"] == []
    ecs.stop_task(task=first["taskArn"])
    wait_until(lambda: ecs.run_task(taskDefinition="big")["tasks"], 30, "room for another task")


# Launch types.


def test_ec2_is_the_launch_type_when_nothing_is_said(ecs: Any) -> None:
    task = describe(ecs, run(ecs, "app")[0])
    assert task["launchType"] == "EC2"
    assert "capacityProviderName" not in task


def test_a_fargate_task_has_no_instance_and_a_platform(ecs: Any) -> None:
    register_fargate(ecs)
    task = describe(ecs, run_fargate(ecs, "fargate")[0])
    assert task["launchType"] == "FARGATE"
    assert "containerInstanceArn" not in task
    assert (task["platformVersion"], task["platformFamily"]) == ("1.4.0", "Linux")
    assert (task["cpu"], task["memory"]) == ("256", "512")


def test_a_definition_that_fargate_cannot_run_is_refused(ecs: Any) -> None:
    refusal = refused(ecs.run_task, taskDefinition="app", launchType="FARGATE")
    assert refusal == invalid("Task definition does not support launch_type FARGATE.")


def test_launch_type_and_strategy_exclude_each_other(ecs: Any) -> None:
    strategy = [{"capacityProvider": "FARGATE"}]
    refusal = refused(
        ecs.run_task, taskDefinition="app", launchType="EC2", capacityProviderStrategy=strategy
    )
    assert refusal == invalid(
        "Specifying both a launch type and capacity provider strategy is not supported. "
        "Remove one and try again."
    )


def test_a_strategy_names_providers_of_the_cluster(ecs: Any) -> None:
    register_fargate(ecs)
    strategy = [{"capacityProvider": "FARGATE", "weight": 1}]
    request = {"taskDefinition": "fargate", "networkConfiguration": SUBNETS}
    refusal = refused(ecs.run_task, **request, capacityProviderStrategy=strategy)
    assert refusal == invalid(
        "The specified capacity provider strategy cannot contain a capacity provider that is not "
        "associated with the cluster. Associate the capacity provider with the cluster or specify "
        "a valid capacity provider and try again."
    )
    ecs.create_cluster(clusterName="spot", capacityProviders=["FARGATE"])
    arns = run(ecs, "fargate", cluster="spot", networkConfiguration=SUBNETS,
               capacityProviderStrategy=strategy)  # fmt: skip
    task = describe(ecs, arns[0])
    assert (task["launchType"], task["capacityProviderName"]) == ("FARGATE", "FARGATE")


def test_the_clusters_default_strategy_is_taken(ecs: Any) -> None:
    register_fargate(ecs)
    strategy = [{"capacityProvider": "FARGATE", "weight": 1}]
    ecs.create_cluster(
        clusterName="spot", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=strategy
    )
    (arn,) = run(ecs, "fargate", cluster="spot", networkConfiguration=SUBNETS)
    assert describe(ecs, arn)["capacityProviderName"] == "FARGATE"


# Network configuration.


def test_awsvpc_needs_a_network_configuration_and_others_take_none(ecs: Any) -> None:
    register_fargate(ecs)
    assert refused(ecs.run_task, taskDefinition="fargate", launchType="FARGATE") == invalid(
        "Network Configuration must be provided when networkMode 'awsvpc' is specified."
    )
    assert refused(ecs.run_task, taskDefinition="app", networkConfiguration=SUBNETS) == invalid(
        "Network Configuration is not valid for the given networkMode of this task definition."
    )
    empty = {"awsvpcConfiguration": {"subnets": []}}
    assert refused(
        ecs.run_task, taskDefinition="fargate", launchType="FARGATE", networkConfiguration=empty
    ) == invalid("subnets can not be empty.")


# What is recorded.


def test_started_by_and_group_are_recorded_and_the_group_has_a_default(ecs: Any) -> None:
    plain = describe(ecs, run(ecs, "app")[0])
    assert plain["group"] == "family:app"
    assert "startedBy" not in plain
    named = describe(ecs, run(ecs, "app", startedBy="me/1", group="batch")[0])
    assert (named["startedBy"], named["group"]) == ("me/1", "batch")


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        ({"startedBy": "x" * 129}, "startedBy longer than 128."),
        ({"propagateTags": "SERVICE"}, "Invalid value for propagateTags"),
    ],
)
def test_wrong_members_are_refused_with_amazons_text(
    ecs: Any, members: dict[str, Any], wanted: str
) -> None:
    assert refused(ecs.run_task, taskDefinition="app", **members) == invalid(wanted)


@pytest.mark.parametrize(
    "members",
    [
        {"startedBy": "a b"},
        {"group": "service:web"},
        {"group": "x" * 256},
        {"tags": [{"key": "aws:x", "value": "y"}]},
        {"tags": [{"key": f"k{n}", "value": ""} for n in range(51)]},
        {"launchType": "MOON"},
    ],
)
def test_other_wrong_members_are_refused(ecs: Any, members: dict[str, Any]) -> None:
    refusal = refused(ecs.run_task, taskDefinition="app", **members)
    assert refusal.code == "InvalidParameterException"
    assert listed(ecs) == []


def test_tags_of_request_and_definition(ecs: Any) -> None:
    tags = [{"key": "team", "value": "blue"}, {"key": "cost", "value": "1"}]
    register(ecs, "tagged", tags=tags)
    own = [{"key": "team", "value": "red"}]

    def of(**members: Any) -> dict[str, str]:
        task = describe(ecs, run(ecs, "tagged", **members)[0], include=["TAGS"])
        return {tag["key"]: tag["value"] for tag in task["tags"]}

    assert of() == {}
    assert of(tags=own) == {"team": "red"}
    assert of(propagateTags="TASK_DEFINITION") == {"team": "blue", "cost": "1"}
    assert of(propagateTags="TASK_DEFINITION", tags=own) == {"team": "red", "cost": "1"}
    assert of(enableECSManagedTags=True) == {"aws:ecs:clusterName": "default"}
    assert of(propagateTags="NONE") == {}


# Overrides.


def test_overrides_are_recorded_with_every_container_named(ecs: Any) -> None:
    register(ecs, "two", container("main"), container("side", essential=False))
    override = {"name": "side", "command": ["x"], "environment": [{"name": "A", "value": "1"}]}
    override |= {"cpu": 7, "memory": 20}
    (arn,) = run(ecs, "two", overrides={"containerOverrides": [override]})
    task = describe(ecs, arn)
    recorded = {o["name"]: o for o in task["overrides"]["containerOverrides"]}
    assert recorded == {"main": {"name": "main"}, "side": override}
    assert task["overrides"]["inferenceAcceleratorOverrides"] == []
    side = next(c for c in task["containers"] if c["name"] == "side")
    assert (side["cpu"], side["memory"]) == ("7", "20")


@pytest.mark.parametrize(
    ("override", "wanted"),
    [
        (
            {"name": "nobody"},
            "Override for container named nobody is not a container in the TaskDefinition.",
        ),
        (
            {"name": "main", "environment": [{"name": "A", "value": "x" * 8192}]},
            "Container Overrides length must be at most 8192",
        ),
    ],
)
def test_wrong_overrides_are_refused(ecs: Any, override: dict[str, Any], wanted: str) -> None:
    overrides = {"containerOverrides": [override]}
    assert refused(ecs.run_task, taskDefinition="app", overrides=overrides) == invalid(wanted)


def test_more_memory_than_the_task_has_is_refused(ecs: Any) -> None:
    register(ecs, "sized", container("main", memory=100), memory="128")
    overrides = {"containerOverrides": [{"name": "main", "memory": 200}]}
    refusal = refused(ecs.run_task, taskDefinition="sized", overrides=overrides)
    assert refusal == invalid("'memory' setting for container 'main' is greater than for task.")


# The answer.


def test_the_answer_does_not_wait_for_the_pull(ecs: Any) -> None:
    register(ecs, "slow", container(image=NEVER_PULLED))
    task = ecs.run_task(taskDefinition="slow")["tasks"][0]
    assert (task["lastStatus"], task["desiredStatus"]) == ("PENDING", "RUNNING")
    assert task["version"] == 1
    assert [c["lastStatus"] for c in task["containers"]] == ["PENDING"]


def test_fargate_begins_in_provisioning(ecs: Any) -> None:
    register_fargate(ecs)
    answer = ecs.run_task(
        taskDefinition="fargate", launchType="FARGATE", networkConfiguration=SUBNETS
    )
    assert answer["tasks"][0]["lastStatus"] == "PROVISIONING"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("placementConstraints", [{"type": "distinctInstance"}]),
        ("placementStrategy", [{"type": "random"}]),
        ("enableExecuteCommand", True),
    ],
)
def test_a_member_that_is_not_built_is_refused_by_name(
    ecs: Any, member: str, value: Any
) -> None:
    refusal = refused(ecs.run_task, taskDefinition="app", **{member: value})
    assert member in refusal.message
    assert listed(ecs) == []
