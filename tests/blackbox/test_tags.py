"""TagResource, UntagResource, ListTagsForResource."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.ecs_calls import invalid, refused, register, run, stop_and_wait
from harness.server import Server

PREFIX = "arn:aws:ecs:us-east-1:000000000000"
ID = "0123456789abcdef" * 2


@pytest.fixture
def ecs(simulated_server: Server) -> Any:
    """A client of a server without containers, with the family `app` registered."""
    register(simulated_server.ecs)
    return simulated_server.ecs


def a_cluster(ecs: Any) -> str:
    return ecs.create_cluster(clusterName="blue")["cluster"]["clusterArn"]


def a_task(ecs: Any) -> str:
    return run(ecs, "app")[0]


def a_definition(ecs: Any) -> str:
    return register(ecs, "web")


def an_instance(ecs: Any) -> str:
    run(ecs, "app")
    return ecs.list_container_instances()["containerInstanceArns"][0]


def tags_of(ecs: Any, arn: str) -> dict[str, str]:
    """The tags of a resource, by key."""
    tags = ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    return {tag["key"]: tag["value"] for tag in tags}


def put(ecs: Any, arn: str, **tags: str) -> None:
    """TagResource."""
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    ecs.tag_resource(resourceArn=arn, tags=pairs)


@pytest.mark.parametrize("make", [a_cluster, a_task, a_definition, an_instance])
def test_tags_merge_by_key_and_unknown_keys_are_ignored(
    ecs: Any, make: Callable[[Any], str]
) -> None:
    arn = make(ecs)
    assert tags_of(ecs, arn) == {}
    put(ecs, arn, a="1", b="2")
    put(ecs, arn, b="3", A="4")
    assert tags_of(ecs, arn) == {"a": "1", "b": "3", "A": "4"}
    ecs.untag_resource(resourceArn=arn, tagKeys=["a", "nobody"])
    assert tags_of(ecs, arn) == {"b": "3", "A": "4"}


def test_tags_survive_a_kill(simulated_server: Server, ecs: Any) -> None:
    arn = a_cluster(ecs)
    put(ecs, arn, a="1")
    simulated_server.kill9()
    simulated_server.start()
    assert tags_of(simulated_server.ecs, arn) == {"a": "1"}


@pytest.mark.parametrize(
    "tags",
    [
        [{"key": "aws:x", "value": ""}],
        [{"key": "AWS:x", "value": ""}],
        [{"key": "a!", "value": ""}],
        [{"key": "a", "value": "x" * 257}],
        [{"key": "a" * 129, "value": ""}],
        [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
    ],
)
def test_tags_against_the_rules_are_refused(ecs: Any, tags: list[dict[str, str]]) -> None:
    arn = a_cluster(ecs)
    refusal = refused(ecs.tag_resource, resourceArn=arn, tags=tags)
    assert refusal.code == "InvalidParameterException"
    assert tags_of(ecs, arn) == {}


def test_fifty_tags_are_all_there_may_be(ecs: Any) -> None:
    arn = a_cluster(ecs)
    put(ecs, arn, **{f"k{n}": "" for n in range(50)})
    more = [{"key": "one-more", "value": ""}]
    refusal = refused(ecs.tag_resource, resourceArn=arn, tags=more)
    assert refusal.code == "InvalidParameterException"
    put(ecs, arn, k7="changed")
    assert len(tags_of(ecs, arn)) == 50


def test_what_is_no_arn_of_ours_is_refused(ecs: Any) -> None:
    for text in ("blue", "arn:aws:s3:::bucket", "arn:aws:ecs:eu-west-1:000000000000:cluster/x"):
        refusal = refused(ecs.list_tags_for_resource, resourceArn=text)
        assert refusal == invalid("The ARN provided is invalid.")


def test_a_short_arn_is_refused(ecs: Any) -> None:
    wanted = invalid("Long arn format must be used for tagging operations")
    for arn in (f"{PREFIX}:service/web", f"{PREFIX}:task/{ID}"):
        assert refused(ecs.list_tags_for_resource, resourceArn=arn) == wanted


def test_an_unknown_resource_is_refused(ecs: Any) -> None:
    refusal = refused(ecs.list_tags_for_resource, resourceArn=f"{PREFIX}:task/default/{ID}")
    assert refusal.code in ("ResourceNotFoundException", "InvalidParameterException")
    assert "not found" in refusal.message


def test_an_inactive_cluster_is_refused(ecs: Any) -> None:
    arn = a_cluster(ecs)
    put(ecs, arn, a="1")
    ecs.delete_cluster(cluster="blue")
    wanted = invalid("The specified cluster is inactive. Specify an active cluster and try again.")
    assert refused(ecs.list_tags_for_resource, resourceArn=arn) == wanted
    tags = [{"key": "a", "value": "1"}]
    assert refused(ecs.tag_resource, resourceArn=arn, tags=tags) == wanted


def test_a_stopped_task_is_refused(ecs: Any) -> None:
    arn = stop_and_wait(ecs, a_task(ecs))["taskArn"]
    wanted = invalid("The specified task is stopped. Specify a running task and try again.")
    assert refused(ecs.list_tags_for_resource, resourceArn=arn) == wanted
