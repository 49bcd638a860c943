"""Task definitions: register, describe, deregister, delete, list. Rules in full: `domain`."""

from datetime import datetime, timezone
from typing import Any

import pytest

from harness import clients
from harness.ecs_calls import (
    container,
    describe,
    invalid,
    refused,
    register,
    register_fargate,
    run,
    run_to,
    stop_and_wait,
)
from harness.server import Server
from harness.wait import wait_until

PREFIX = "arn:aws:ecs:us-east-1:000000000000:task-definition/"
UNABLE = ("ClientException", "Unable to describe task definition.")


@pytest.fixture
def ecs(simulated_server: Server) -> Any:
    """A client of a server without containers."""
    return simulated_server.ecs


def described(ecs: Any, name: str) -> dict[str, Any]:
    """One definition that must be there."""
    return ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]


# Register.


def test_defaults_are_filled_in(ecs: Any) -> None:
    ports = [{"containerPort": 80}]
    answer = ecs.register_task_definition(
        family="web", containerDefinitions=[container(portMappings=ports)]
    )
    definition = answer["taskDefinition"]
    assert definition["taskDefinitionArn"] == f"{PREFIX}web:1"
    assert (definition["family"], definition["revision"]) == ("web", 1)
    assert (definition["status"], definition["volumes"]) == ("ACTIVE", [])
    assert definition["placementConstraints"] == []
    assert definition["registeredBy"].startswith("arn:aws:")
    age = datetime.now(timezone.utc) - definition["registeredAt"]
    assert abs(age.total_seconds()) < 60
    assert "EC2" in definition["compatibilities"]
    (only,) = definition["containerDefinitions"]
    assert only["portMappings"] == [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}]
    assert (only["cpu"], only["memory"], only["essential"]) == (0, 16, True)
    for name in ("environment", "mountPoints", "volumesFrom"):
        assert only[name] == []
    for name in ("command", "entryPoint", "user", "healthCheck", "secrets"):
        assert name not in only


def test_a_fargate_definition(ecs: Any) -> None:
    register_fargate(ecs, "f", container(portMappings=[{"containerPort": 80}]))
    definition = described(ecs, "f")
    assert definition["requiresCompatibilities"] == ["FARGATE"]
    assert {"EC2", "FARGATE"} <= set(definition["compatibilities"])
    assert (definition["cpu"], definition["memory"]) == ("256", "512")
    assert definition["networkMode"] == "awsvpc"
    assert definition["containerDefinitions"][0]["portMappings"][0]["hostPort"] == 80


def test_sizes_may_be_written_with_units(ecs: Any) -> None:
    register(ecs, "sized", cpu="1 vCPU", memory="4GB")
    definition = described(ecs, "sized")
    assert (definition["cpu"], definition["memory"]) == ("1024", "4096")


def test_revisions_count_up_and_are_never_used_again(ecs: Any) -> None:
    assert [register(ecs, "web")[-5:] for _ in range(3)] == ["web:1", "web:2", "web:3"]
    ecs.deregister_task_definition(taskDefinition="web:3")
    ecs.delete_task_definitions(taskDefinitions=["web:3"])
    assert register(ecs, "web").endswith("web:4")


REFUSED: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"family": "a b"}, ("ClientException", "Family contains invalid characters.")),
    (
        {"containerDefinitions": [container("a b")]},
        ("ClientException", "Container.name contains invalid characters."),
    ),
    (
        {"containerDefinitions": [{"image": "app", "memory": 16}]},
        ("ClientException", "Container.name should not be null or empty."),
    ),
    (
        {"containerDefinitions": [{"name": "main", "memory": 16}]},
        ("ClientException", "Container.image should not be null or empty."),
    ),
    (
        {"containerDefinitions": [{"name": "main", "image": "app"}]},
        (
            "ClientException",
            "Invalid setting for container 'main'. At least one of 'memory' or "
            "'memoryReservation' must be specified.",
        ),
    ),
    (
        {"requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"},
        ("ClientException", "Fargate only supports network mode ‘awsvpc’."),
    ),
    (
        {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"},
        ("ClientException", "Fargate requires that 'cpu' be defined at the task level."),
    ),
    (
        {
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "1024",
            "memory": "1024",
        },
        (
            "ClientException",
            "No Fargate configuration exists for given values: 1024 CPU, 1024 memory. See the "
            "Amazon ECS documentation for the valid values.",
        ),
    ),
    (
        {
            "networkMode": "awsvpc",
            "containerDefinitions": [
                container(portMappings=[{"containerPort": 80, "hostPort": 81}])
            ],
        },
        (
            "ClientException",
            "When networkMode=awsvpc, the host ports and container ports in port mappings must "
            "match.",
        ),
    ),
    (
        {"containerDefinitions": [container(secrets=[{"name": "A", "valueFrom": "a"}])]},
        (
            "ClientException",
            "When you are specifying container secrets, you must also specify a value for "
            "'executionRoleArn'.",
        ),
    ),
    (
        {"placementConstraints": [{"type": "distinctInstance"}]},
        ("ClientException", "constraint.type 'distinctInstance' is not supported."),
    ),
    (
        {"containerDefinitions": [container("a", links=["b"]), container("b", links=["a"])]},
        ("ClientException", "Container links should not have a cycle"),
    ),
]


@pytest.mark.parametrize(("members", "wanted"), REFUSED)
def test_what_amazon_refuses_is_refused_in_its_words(
    simulated_server: Server, members: dict[str, Any], wanted: tuple[str, str]
) -> None:
    ecs = clients.ecs(simulated_server.endpoint, parameter_validation=False)
    request = {"family": "web", "containerDefinitions": [container()], **members}
    assert refused(ecs.register_task_definition, **request) == wanted
    assert ecs.list_task_definitions()["taskDefinitionArns"] == []


def test_a_refused_registration_uses_no_revision(ecs: Any) -> None:
    register(ecs, "web")
    refused(ecs.register_task_definition, family="web", containerDefinitions=[container("a b")])
    assert register(ecs, "web").endswith("web:2")


# Describe.


def test_a_definition_is_named_in_each_way(ecs: Any) -> None:
    first, second = register(ecs, "web"), register(ecs, "web")
    for name, wanted in [
        ("web", second),
        ("web:1", first),
        (first, first),
        (f"{PREFIX}web", second),
    ]:
        assert described(ecs, name)["taskDefinitionArn"] == wanted


@pytest.mark.parametrize("name", ["nobody", "web:9", f"{PREFIX}nobody:1"])
def test_an_unknown_definition_is_refused(ecs: Any, name: str) -> None:
    register(ecs, "web")
    assert refused(ecs.describe_task_definition, taskDefinition=name) == UNABLE


def test_tags_stand_beside_the_definition_and_only_when_asked_for(ecs: Any) -> None:
    tags = [{"key": "team", "value": "blue"}]
    answer = ecs.register_task_definition(
        family="web", containerDefinitions=[container()], tags=tags
    )
    assert answer["tags"] == tags
    assert "tags" not in answer["taskDefinition"]
    assert ecs.describe_task_definition(taskDefinition="web").get("tags", []) == []
    full = ecs.describe_task_definition(taskDefinition="web", include=["TAGS"])
    assert full["tags"] == tags


# Deregister and delete.


def test_deregistering_makes_inactive_and_leaves_tasks_alone(ecs: Any) -> None:
    register(ecs, "web")
    arn = run_to(ecs, "web", "RUNNING")["taskArn"]
    answer = ecs.deregister_task_definition(taskDefinition="web:1")["taskDefinition"]
    assert answer["status"] == "INACTIVE"
    assert "deregisteredAt" in answer
    assert described(ecs, "web:1")["status"] == "INACTIVE"
    assert describe(ecs, arn)["lastStatus"] == "RUNNING"
    assert refused(ecs.describe_task_definition, taskDefinition="web") == UNABLE
    again = ecs.deregister_task_definition(taskDefinition="web:1")["taskDefinition"]
    assert again["deregisteredAt"] == answer["deregisteredAt"]


def test_deregistering_needs_a_revision(ecs: Any) -> None:
    register(ecs, "web")
    missing = ("ClientException", "Revision is missing.")
    assert refused(ecs.deregister_task_definition, taskDefinition="web") == missing
    wanted = invalid("Invalid revision number. Number: x")
    assert refused(ecs.deregister_task_definition, taskDefinition="web:x") == wanted


def test_only_inactive_definitions_are_deleted_and_others_are_failures(ecs: Any) -> None:
    active, gone = register(ecs, "web"), register(ecs, "web")
    ecs.deregister_task_definition(taskDefinition=gone)
    names = [active, gone, f"{PREFIX}web:9"]
    answer = ecs.delete_task_definitions(taskDefinitions=names)
    assert [d["status"] for d in answer["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    failures = {f["arn"]: f["reason"] for f in answer["failures"]}
    assert set(failures) == {active, f"{PREFIX}web:9"}
    assert failures[active].startswith("The specified task definition is still in ACTIVE status.")
    assert "does not exist" in failures[f"{PREFIX}web:9"]


def test_more_than_ten_deletions_are_refused(ecs: Any) -> None:
    names = [f"web:{n}" for n in range(1, 12)]
    wanted = invalid("Size of TaskDefinition references list cannot exceed 10")
    assert refused(ecs.delete_task_definitions, taskDefinitions=names) == wanted


def test_a_deleted_definition_goes_when_nothing_uses_it(ecs: Any) -> None:
    register(ecs, "free")
    register(ecs, "used")
    arn = run_to(ecs, "used", "RUNNING")["taskArn"]
    for name in ("free:1", "used:1"):
        ecs.deregister_task_definition(taskDefinition=name)
    ecs.delete_task_definitions(taskDefinitions=["free:1", "used:1"])

    def gone() -> bool:
        return refused(ecs.describe_task_definition, taskDefinition="free:1") == UNABLE

    wait_until(gone, 30, "the end of free:1", tolerate=(AssertionError,))
    assert described(ecs, "used:1")["status"] == "DELETE_IN_PROGRESS"
    assert stop_and_wait(ecs, arn)["taskDefinitionArn"].endswith("used:1")


# List.


def listed(ecs: Any, size: int = 100, **filters: Any) -> list[str]:
    """`family:revision` of a whole traversal."""
    paginator = ecs.get_paginator("list_task_definitions")
    pages = paginator.paginate(PaginationConfig={"PageSize": size}, **filters)
    return [arn.removeprefix(PREFIX) for page in pages for arn in page["taskDefinitionArns"]]


def test_definitions_are_listed_by_family_and_revision_as_a_number(ecs: Any) -> None:
    for _ in range(11):
        register(ecs, "web")
    register(ecs, "api")
    wanted = ["api:1", *(f"web:{n}" for n in range(1, 12))]
    for size in (1, 5, 100):
        assert listed(ecs, size) == wanted
    assert listed(ecs, 5, sort="DESC") == wanted[::-1]


def test_family_prefix_is_the_whole_family_here_and_a_prefix_for_families(ecs: Any) -> None:
    register(ecs, "web")
    register(ecs, "web-2")
    assert listed(ecs, familyPrefix="web") == ["web:1"]
    assert listed(ecs, familyPrefix="we") == []
    families = ecs.list_task_definition_families
    assert families(familyPrefix="we")["families"] == ["web", "web-2"]
    assert families(familyPrefix="web-")["families"] == ["web-2"]


def test_status_chooses_definitions_and_families(ecs: Any) -> None:
    register(ecs, "old")
    register(ecs, "new")
    ecs.deregister_task_definition(taskDefinition="old:1")
    assert listed(ecs) == listed(ecs, status="ACTIVE") == ["new:1"]
    assert listed(ecs, status="INACTIVE") == ["old:1"]
    ecs.delete_task_definitions(taskDefinitions=["new:1"])
    families = ecs.list_task_definition_families
    assert families()["families"] == families(status="ALL")["families"] == ["new", "old"]
    assert families(status="ACTIVE")["families"] == ["new"]
    assert families(status="INACTIVE")["families"] == ["old"]


def test_families_are_listed_in_pages(ecs: Any) -> None:
    for n in range(5):
        register(ecs, f"f{n}")
    pages = list(ecs.get_paginator("list_task_definition_families").paginate(maxResults=2))
    assert [p["families"] for p in pages] == [["f0", "f1"], ["f2", "f3"], ["f4"]]


def test_definitions_survive_a_kill(simulated_server: Server, ecs: Any) -> None:
    register(ecs, "web")
    before = described(ecs, "web")
    run(ecs, "web")
    simulated_server.kill9()
    simulated_server.start()
    assert described(simulated_server.ecs, "web") == before
