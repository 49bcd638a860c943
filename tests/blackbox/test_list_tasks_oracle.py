"""ListTasks on random fleets against an oracle, in every legal combination of filters."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from harness.ecs_calls import SUBNETS, listed, register, register_fargate
from harness.oracle import Fact, expected
from harness.server import Server

CLUSTERS = ["default", "blue", "green"]
FAMILIES = ["web", "web-2", "worker"]
STARTERS = [None, "cron", "cron-2", "deploy:7"]
ROOMY = ["--builtin-memory", "1000000", "--builtin-cpu", "1000000"]


def fleet(ecs: Any, choice: random.Random) -> list[Fact]:
    """Runs and stops random tasks in several clusters; returns what there is."""
    for family in FAMILIES:
        register(ecs, family)
        register_fargate(ecs, f"{family}-f")
    for name in CLUSTERS[1:]:
        ecs.create_cluster(clusterName=name)
    arns: list[tuple[str, str]] = []
    for _ in range(choice.randint(25, 40)):
        arns += run_some(ecs, choice)
        if choice.random() < 0.4:
            cluster, arn = choice.choice(arns)
            ecs.stop_task(cluster=cluster, task=arn)
    return facts(ecs, arns)


def run_some(ecs: Any, choice: random.Random) -> list[tuple[str, str]]:
    """Runs some tasks of one kind; returns cluster and ARN of each."""
    cluster, family, starter = (choice.choice(x) for x in (CLUSTERS, FAMILIES, STARTERS))
    request: dict[str, Any] = {"cluster": cluster, "count": choice.randint(1, 10)}
    request |= {"startedBy": starter} if starter else {}
    launch_type = choice.choice(["EC2", "EC2", "FARGATE", "EXTERNAL", None])
    request |= {"launchType": launch_type} if launch_type else {}
    if launch_type == "FARGATE":
        family, request["networkConfiguration"] = f"{family}-f", SUBNETS
    answer = ecs.run_task(taskDefinition=family, **request)
    assert answer["failures"] == []
    return [(cluster, task["taskArn"]) for task in answer["tasks"]]


def facts(ecs: Any, arns: list[tuple[str, str]]) -> list[Fact]:
    """What DescribeTasks says of all tasks."""
    number = {arn: n for n, (_, arn) in enumerate(arns)}
    found: list[Fact] = []
    for cluster in CLUSTERS:
        own = [arn for of, arn in arns if of == cluster]
        for start in range(0, len(own), 100):
            answer = ecs.describe_tasks(cluster=cluster, tasks=own[start : start + 100])
            assert answer["failures"] == []
            found += [Fact.of(number[task["taskArn"]], task) for task in answer["tasks"]]
    assert len(found) == len(arns)
    return found


def combinations(instances: list[str]) -> Iterator[dict[str, str]]:
    """Every legal combination of filters, each with every value, some of which match nothing."""
    families = ["web", "web-f", "nobody"]
    launch_types = ["EC2", "FARGATE", "EXTERNAL"]
    places = [*instances, instances[0].split("/")[-1]]
    for status in (None, "RUNNING", "PENDING", "STOPPED"):
        base = {"desiredStatus": status} if status else {}
        for starter in ("cron", "cron-2", "deploy:7", "nobody"):
            yield base | {"startedBy": starter}
        for family, launch_type, place, daemon in itertools.product(
            [None, *families], [None, *launch_types], [None, *places], [None, "logs"]
        ):
            named = [("family", family), ("launchType", launch_type)]
            named += [("containerInstance", place), ("daemonName", daemon)]
            yield base | {name: value for name, value in named if value}


@pytest.mark.parametrize("fleet_number", range(3))
def test_a_random_fleet_is_listed_as_the_oracle_says(
    start_server: Any, fleet_number: int
) -> None:
    seed = random.randrange(2**32)
    print(f"fleet {fleet_number}, seed {seed}")
    choice = random.Random(seed)
    server: Server = start_server(engine_kind="simulated", options=ROOMY)
    ecs = server.ecs
    known = fleet(ecs, choice)
    matched = asked = 0
    for cluster in CLUSTERS:
        instances = ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        if not instances:
            prefix = "arn:aws:ecs:us-east-1:000000000000:container-instance"
            instances = [f"{prefix}/{cluster}/{'0' * 32}"]
        every = list(combinations(instances))
        for filters in choice.sample(every, 150):
            request = {"cluster": cluster, **filters}
            size = choice.choice([1, 2, 5, 17, 100])
            wanted = expected(known, request)
            if len(wanted) > 20:
                size = max(size, 5)
            assert listed(ecs, maxResults=size, **request) == wanted, (seed, request, size)
            matched += bool(wanted)
            asked += 1
    print(f"{len(known)} tasks, {asked} requests, {matched} with a match")
    assert matched > 30
