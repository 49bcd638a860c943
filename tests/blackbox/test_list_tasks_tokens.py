"""ListTasks' nextToken: good for its own listing and nothing else, across restarts and kills."""

import base64
import random
from typing import Any

import pytest

from harness import clients
from harness.ecs_calls import (
    NEVER_PULLED,
    container,
    invalid,
    refused,
    register,
    run,
    stop_and_wait,
)
from harness.server import Server

INVALID = invalid("Invalid token")
PREFIX = "arn:aws:ecs:us-east-1:000000000000"


@pytest.fixture
def ecs(simulated_server: Server) -> Any:
    """A client; `app` runs, and its tasks outlive a server without containers: they are PENDING."""
    register(simulated_server.ecs, "app", container(image=NEVER_PULLED))
    return simulated_server.ecs


def first_token(ecs: Any, **filters: Any) -> str:
    """The token of a first page of one task."""
    return ecs.list_tasks(maxResults=1, **filters)["nextToken"]


def test_a_token_can_be_replayed_and_gives_the_same_page(ecs: Any) -> None:
    arns = run(ecs, "app", 4)
    token = first_token(ecs)
    for _ in range(3):
        assert ecs.list_tasks(nextToken=token)["taskArns"] == arns[1:]


def test_the_page_size_may_change(ecs: Any) -> None:
    arns = run(ecs, "app", 6)
    second = ecs.list_tasks(maxResults=3, nextToken=first_token(ecs))
    assert second["taskArns"] == arns[1:4]
    assert ecs.list_tasks(nextToken=second["nextToken"])["taskArns"] == arns[4:]


def test_name_arn_and_absent_default_are_the_same_cluster(ecs: Any) -> None:
    arns = run(ecs, "app", 3)
    spellings = [{}, {"cluster": "default"}, {"cluster": f"{PREFIX}:cluster/default"}]
    for begun in spellings:
        token = first_token(ecs, **begun)
        for continued in spellings:
            assert ecs.list_tasks(nextToken=token, **continued)["taskArns"] == arns[1:]


def test_id_and_arn_are_the_same_container_instance(ecs: Any) -> None:
    arns = run(ecs, "app", 3)
    (arn,) = ecs.list_container_instances()["containerInstanceArns"]
    token = first_token(ecs, containerInstance=arn)
    answer = ecs.list_tasks(containerInstance=arn.rsplit("/", 1)[1], nextToken=token)
    assert answer["taskArns"] == arns[1:]


def test_running_is_the_absent_desired_status(ecs: Any) -> None:
    arns = run(ecs, "app", 3)
    token = first_token(ecs)
    assert ecs.list_tasks(desiredStatus="RUNNING", nextToken=token)["taskArns"] == arns[1:]


@pytest.mark.parametrize(
    "other",
    [
        {"family": "app"},
        {"desiredStatus": "STOPPED"},
        {"desiredStatus": "PENDING"},
        {"launchType": "EC2"},
        {"startedBy": "me"},
        {"daemonName": "app"},
        {"containerInstance": "0123456789abcdef" * 2},
        {"cluster": "other"},
    ],
)
def test_a_token_is_refused_with_other_filters(ecs: Any, other: dict[str, str]) -> None:
    ecs.create_cluster(clusterName="other")
    run(ecs, "app", 2, startedBy="me")
    assert refused(ecs.list_tasks, nextToken=first_token(ecs), **other) == INVALID


def test_a_token_with_a_filter_is_refused_without_it_and_with_another_value(ecs: Any) -> None:
    run(ecs, "app", 2, startedBy="me")
    run(ecs, "app", 2, startedBy="you")
    for begun in ({"family": "app"}, {"startedBy": "me"}, {"launchType": "EC2"}):
        assert refused(ecs.list_tasks, nextToken=first_token(ecs, **begun)) == INVALID
    mine = first_token(ecs, startedBy="me")
    assert refused(ecs.list_tasks, startedBy="you", nextToken=mine) == INVALID
    both = first_token(ecs, family="app", launchType="EC2")
    assert refused(ecs.list_tasks, family="app", nextToken=both) == INVALID


def test_a_token_of_another_cluster_is_refused(ecs: Any) -> None:
    for name in ("one", "two"):
        ecs.create_cluster(clusterName=name)
        run(ecs, "app", 2, cluster=name)
    token = first_token(ecs, cluster="one")
    assert refused(ecs.list_tasks, cluster="two", nextToken=token) == INVALID
    assert refused(ecs.list_tasks, nextToken=token) == INVALID


def test_a_token_of_a_deleted_cluster_is_refused_by_its_successor(ecs: Any) -> None:
    ecs.create_cluster(clusterName="brief")
    arns = run(ecs, "app", 2, cluster="brief")
    token = first_token(ecs, cluster="brief")
    for arn in arns:
        stop_and_wait(ecs, arn)
    ecs.delete_cluster(cluster="brief")
    ecs.create_cluster(clusterName="brief")
    run(ecs, "app", 2, cluster="brief")
    assert refused(ecs.list_tasks, cluster="brief", nextToken=token) == INVALID


def test_a_token_of_another_scope_is_refused(simulated_server: Server, ecs: Any) -> None:
    far = clients.ecs(simulated_server.endpoint, region="eu-west-1")
    register(far)
    run(ecs, "app", 2)
    run(far, "app", 2)
    assert refused(far.list_tasks, nextToken=first_token(ecs)) == INVALID
    assert refused(ecs.list_tasks, nextToken=first_token(far)) == INVALID


def test_a_token_of_another_server_is_refused(ecs: Any, start_server: Any) -> None:
    stranger = start_server(engine_kind="simulated").ecs
    register(stranger)
    run(ecs, "app", 2)
    run(stranger, "app", 2)
    assert refused(ecs.list_tasks, nextToken=first_token(stranger)) == INVALID


def test_a_token_of_another_operation_is_refused(ecs: Any) -> None:
    run(ecs, "app", 2)
    ecs.create_cluster(clusterName="other")
    clusters = ecs.list_clusters(maxResults=1)["nextToken"]
    assert refused(ecs.list_tasks, nextToken=clusters) == INVALID
    assert refused(ecs.list_clusters, nextToken=first_token(ecs)) == INVALID


def test_every_truncation_is_refused(ecs: Any) -> None:
    run(ecs, "app", 2)
    token = first_token(ecs)
    for length in range(len(token)):
        assert refused(ecs.list_tasks, nextToken=token[:length]) == INVALID
        assert refused(ecs.list_tasks, nextToken=token[len(token) - length :]) == INVALID


def test_every_forgery_is_refused(ecs: Any) -> None:
    run(ecs, "app", 2)
    token = first_token(ecs)
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    choice = random.Random(seed)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    forged = {token + "A", token + "=", "A" + token, token * 2, token.swapcase(), token[::-1]}
    for place in range(len(token)):
        # The last character may hold bits that no byte has, so it is changed by more than those.
        other = choice.choice([c for c in alphabet if c != token[place]])
        if place < len(token) - 1:
            forged.add(token[:place] + other + token[place + 1 :])
    forged |= {base64.urlsafe_b64encode(choice.randbytes(n)).decode() for n in range(1, 64)}
    for text in forged - {token}:
        assert refused(ecs.list_tasks, nextToken=text) == INVALID, text


@pytest.mark.parametrize("token", ["", " ", "0", "junk", "ü", "\u0000", "x" * 10_000, "null"])
def test_any_other_text_is_refused(ecs: Any, token: str) -> None:
    run(ecs, "app", 2)
    assert refused(ecs.list_tasks, nextToken=token) == INVALID


def test_a_token_works_after_a_restart_and_after_a_kill(
    simulated_server: Server, ecs: Any
) -> None:
    arns = run(ecs, "app", 4)
    token = first_token(ecs)
    simulated_server.restart()
    second = simulated_server.ecs.list_tasks(maxResults=1, nextToken=token)
    assert second["taskArns"] == arns[1:2]
    simulated_server.kill9()
    simulated_server.start()
    assert simulated_server.ecs.list_tasks(nextToken=second["nextToken"])["taskArns"] == arns[2:]
    assert simulated_server.ecs.list_tasks(nextToken=token)["taskArns"] == arns[1:]


def test_a_token_goes_on_behind_tasks_that_have_stopped_meanwhile(ecs: Any) -> None:
    arns = run(ecs, "app", 6)
    page = ecs.list_tasks(maxResults=2)
    for arn in (arns[1], arns[2], arns[4]):
        stop_and_wait(ecs, arn)
    later = run(ecs, "app", 2)
    rest = ecs.list_tasks(nextToken=page["nextToken"])
    assert page["taskArns"] == arns[:2]
    assert rest["taskArns"] == [arns[3], arns[5], *later]
