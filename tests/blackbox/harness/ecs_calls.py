"""What most tests say in a word: a container, register, run, describe, wait, list, a refusal.

Every argument that is not named here goes to the ECS operation as it is.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from .wait import wait_until

SUBNETS = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
TASK_ARN = re.compile(r"arn:aws:ecs:us-east-1:000000000000:task/[A-Za-z0-9_-]+/[0-9a-f]{32}")
NEVER_PULLED = "pull-takes-600000ms.invalid/app"
"""With the simulated engine, a task of this image stays PENDING for ten minutes."""


class Refusal(NamedTuple):
    """A modelled error: `__type` and text."""

    code: str
    message: str


def invalid(message: str) -> Refusal:
    """An InvalidParameterException."""
    return Refusal("InvalidParameterException", message)


def refused(call: Callable[..., Any], *, status: int = 400, **arguments: Any) -> Refusal:
    """The error with which a boto3 call is refused; it must be, and with this HTTP status."""
    try:
        answer = call(**arguments)
    except ClientError as e:
        assert e.response["ResponseMetadata"]["HTTPStatusCode"] == status, e
        return Refusal(e.response["Error"]["Code"], e.response["Error"].get("Message", ""))
    raise AssertionError(f"{arguments} was not refused: {answer}")


def container(name: str = "main", **members: Any) -> dict[str, Any]:
    """A container definition: a small one of an image that only the simulated engine has."""
    return {"name": name, "image": "app", "memory": 16, **members}


def simulated(**knobs: Any) -> dict[str, str]:
    """The labels of docs/simulated-engine.md: `run_ms=5` is `longshore.simulated.run-ms`."""
    return {f"longshore.simulated.{k.replace('_', '-')}": str(v) for k, v in knobs.items()}


def register(ecs: Any, family: str = "app", *containers: dict[str, Any], **members: Any) -> str:
    """Registers a definition, by default of one small container; returns its ARN."""
    definitions = list(containers) or [container()]
    answer = ecs.register_task_definition(
        family=family, containerDefinitions=definitions, **members
    )
    return answer["taskDefinition"]["taskDefinitionArn"]


def register_fargate(ecs: Any, family: str = "fargate", *containers: dict[str, Any]) -> str:
    """Registers a definition for FARGATE: 256 CPU units, 512 MiB."""
    return register(
        ecs,
        family,
        *containers,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
    )


def run(ecs: Any, definition: str, count: int = 1, **members: Any) -> list[str]:
    """Runs tasks, all of which must find a place; returns their ARNs."""
    answer = ecs.run_task(taskDefinition=definition, count=count, **members)
    assert answer["failures"] == []
    assert len(answer["tasks"]) == count
    return [task["taskArn"] for task in answer["tasks"]]


def run_fargate(ecs: Any, definition: str, count: int = 1, **members: Any) -> list[str]:
    """Runs FARGATE tasks; returns their ARNs."""
    return run(
        ecs, definition, count, launchType="FARGATE", networkConfiguration=SUBNETS, **members
    )


def cluster_of(task_arn: str) -> str:
    """The cluster's name in a task's ARN."""
    return task_arn.split("/")[1]


def describe(ecs: Any, task_arn: str, **members: Any) -> dict[str, Any]:
    """One task that must be there."""
    answer = ecs.describe_tasks(cluster=cluster_of(task_arn), tasks=[task_arn], **members)
    assert answer["failures"] == []
    return answer["tasks"][0]


def wait_status(
    ecs: Any, task_arn: str, status: str, deadline: float = 30.0, **wait: Any
) -> dict[str, Any]:
    """Waits until a task's lastStatus is this, and returns the task.

    A task that has stopped will be nothing else: AssertionError with the task.
    """

    def reached() -> dict[str, Any] | None:
        task = describe(ecs, task_arn)
        if task["lastStatus"] == "STOPPED" != status:
            raise AssertionError(f"stopped before it was {status}: {task}")
        return task if task["lastStatus"] == status else None

    return wait_until(reached, deadline, f"{task_arn} {status}", **wait)


def run_to(ecs: Any, definition: str, status: str, **members: Any) -> dict[str, Any]:
    """Runs one task and waits for a lastStatus; returns the task."""
    return wait_status(ecs, run(ecs, definition, **members)[0], status)


def stop_and_wait(ecs: Any, task_arn: str, deadline: float = 30.0) -> dict[str, Any]:
    """Stops a task and waits until it has stopped; returns it."""
    ecs.stop_task(cluster=cluster_of(task_arn), task=task_arn)
    return wait_status(ecs, task_arn, "STOPPED", deadline)


def pages(ecs: Any, **filters: Any) -> list[list[str]]:
    """A whole traversal of ListTasks, page by page."""
    found: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        answer = ecs.list_tasks(**filters, **token)
        found.append(answer["taskArns"])
        if "nextToken" not in answer:
            return found
        assert len(found) < 10_000, "a traversal without end"
        token = {"nextToken": answer["nextToken"]}


def listed(ecs: Any, **filters: Any) -> list[str]:
    """All ARNs of a traversal, in the order in which they came."""
    return [arn for page in pages(ecs, **filters) for arn in page]
