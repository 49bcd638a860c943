"""What ListTasks must answer, by brute force over what DescribeTasks and RunTask have said.

It shares nothing with the server: it looks at every task for every question.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fact:
    """A task as the API described it; `number` is its place in the order of creation."""

    number: int
    arn: str
    cluster: str
    family: str
    desired_status: str
    launch_type: str
    started_by: str | None
    container_instance: str | None

    @staticmethod
    def of(number: int, task: dict[str, Any]) -> "Fact":
        """The fact in a task object of the API."""
        return Fact(
            number=number,
            arn=task["taskArn"],
            cluster=task["clusterArn"].split("/")[1],
            family=task["taskDefinitionArn"].split("/")[1].split(":")[0],
            desired_status=task["desiredStatus"],
            launch_type=task["launchType"],
            started_by=task.get("startedBy"),
            container_instance=task.get("containerInstanceArn"),
        )


def expected(facts: Iterable[Fact], request: dict[str, Any]) -> list[str]:
    """The ARNs that a whole traversal with this request lists, in order."""
    return [f.arn for f in sorted(facts, key=lambda f: f.number) if _matches(f, request)]


def _matches(fact: Fact, request: dict[str, Any]) -> bool:
    wanted = [
        (request.get("cluster", "default").split("/")[-1], fact.cluster),
        (request.get("desiredStatus", "RUNNING"), fact.desired_status),
    ]
    for name, value in (
        ("family", fact.family),
        ("launchType", fact.launch_type),
        ("startedBy", fact.started_by),
    ):
        if name in request:
            wanted.append((request[name], value))
    if "containerInstance" in request:
        instance = (fact.container_instance or "").split("/")[-1]
        wanted.append((request["containerInstance"].split("/")[-1], instance))
    if "daemonName" in request:
        return False  # No task of these fleets belongs to a daemon.
    return all(left == right for left, right in wanted)
