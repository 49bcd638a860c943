"""A few commands of the AWS CLI, as people type them."""

import json

import pytest

from harness.aws_cli import AwsCliError, aws
from harness.ecs_calls import TASK_ARN
from harness.server import Server

CONTAINERS = json.dumps([{"name": "main", "image": "app", "memory": 16}])


def test_a_task_from_definition_to_stop(simulated_server: Server) -> None:
    endpoint = simulated_server.endpoint
    aws(endpoint, "ecs", "register-task-definition", "--family", "app",
        "--container-definitions", CONTAINERS)  # fmt: skip
    answer = aws(endpoint, "ecs", "run-task", "--task-definition", "app", "--count", "3")
    arns = [task["taskArn"] for task in answer["tasks"]]
    assert all(TASK_ARN.fullmatch(arn) for arn in arns)
    assert aws(endpoint, "ecs", "list-tasks") == {"taskArns": arns}
    assert aws(endpoint, "ecs", "list-tasks", "--family", "app", "--max-items", "2",
               "--page-size", "1")["taskArns"] == arns[:2]  # fmt: skip
    aws(endpoint, "ecs", "wait", "tasks-running", "--tasks", *arns)
    aws(endpoint, "ecs", "stop-task", "--task", arns[0], "--reason", "enough")
    aws(endpoint, "ecs", "wait", "tasks-stopped", "--tasks", arns[0])
    stopped = aws(endpoint, "ecs", "list-tasks", "--desired-status", "STOPPED")
    assert stopped["taskArns"] == arns[:1]
    (task,) = aws(endpoint, "ecs", "describe-tasks", "--tasks", arns[0])["tasks"]
    assert task["stoppedReason"] == "enough"


def test_clusters_and_identity(simulated_server: Server) -> None:
    endpoint = simulated_server.endpoint
    created = aws(endpoint, "ecs", "create-cluster", "--cluster-name", "blue")
    assert created["cluster"]["status"] == "ACTIVE"
    assert len(aws(endpoint, "ecs", "list-clusters")["clusterArns"]) == 2
    assert aws(endpoint, "sts", "get-caller-identity")["Account"] == "000000000000"


def test_an_error_is_shown_with_its_type_and_text(simulated_server: Server) -> None:
    with pytest.raises(AwsCliError, match=r"\(ClusterNotFoundException\).*Cluster not found\."):
        aws(simulated_server.endpoint, "ecs", "list-tasks", "--cluster", "nobody")
