"""Pulling images: from a registry that works, that does not, and that says nothing."""

import time
from typing import Any

import pytest

from harness import engine
from harness.ecs_calls import describe, register, run, run_to, stop_and_wait, wait_status
from harness.images import BUSYBOX
from harness.ports import free_port
from harness.real_tasks import forever, of_task, shell
from harness.registry import HangingRegistry, Registry
from harness.server import Server
from harness.wait import wait_until

CANNOT_PULL = "CannotPullContainerError: "


def assert_not_pulled(task: dict[str, Any]) -> None:
    """The task never ran, for want of its image."""
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(CANNOT_PULL)
    (only,) = task["containers"]
    assert only["reason"] == task["stoppedReason"]
    assert "exitCode" not in only
    assert "startedAt" not in task
    assert of_task(task["taskArn"]) == {}


def test_an_image_is_pulled_and_its_digest_shown(server: Server, registry: Registry) -> None:
    reference = registry.push(BUSYBOX, "app")
    register(server.ecs, "app", forever(image=reference))
    task = run_to(server.ecs, "app", "RUNNING")
    (only,) = task["containers"]
    assert (only["image"], only["imageDigest"][:7]) == (reference, "sha256:")
    assert task["createdAt"] <= task["pullStartedAt"] <= task["pullStoppedAt"]


def test_a_tag_is_pulled_anew_for_each_task_and_the_local_one_will_do(
    server: Server, registry: Registry
) -> None:
    reference = registry.push(BUSYBOX, "app")
    register(server.ecs, "app", shell("exit 0", image=reference))
    first = run_to(server.ecs, "app", "STOPPED")["containers"][0]
    newer = registry.push(BUSYBOX, "app")
    assert newer == reference
    second = run_to(server.ecs, "app", "STOPPED")["containers"][0]
    assert first["imageDigest"] != second["imageDigest"]


def test_an_image_that_no_registry_has_is_used_as_it_is(server: Server) -> None:
    register(server.ecs, "app", shell("exit 0"))
    started = time.monotonic()
    task = run_to(server.ecs, "app", "STOPPED")
    assert task["containers"][0]["exitCode"] == 0
    assert time.monotonic() - started < 10


def test_a_wrong_tag_a_registry_that_is_down_and_one_that_hangs(
    server: Server, registry: Registry, hanging_registry: HangingRegistry
) -> None:
    registry.push(BUSYBOX, "app")
    references = {
        "wrong": registry.reference("app", "nobody"),
        "down": f"127.0.0.1:{free_port()}/app:1",
        "hangs": hanging_registry.reference("app"),
    }
    for family, reference in references.items():
        register(server.ecs, family, forever(image=reference))
    started = time.monotonic()
    arns = {family: run(server.ecs, family)[0] for family in references}
    assert time.monotonic() - started < 5, "RunTask waited for a pull"
    wait_until(lambda: hanging_registry.connections > 0, 10, "a call of the registry that hangs")
    pending = describe(server.ecs, arns["hangs"])
    assert (pending["lastStatus"], pending["desiredStatus"]) == ("PENDING", "RUNNING")
    for family in ("wrong", "down", "hangs"):
        assert_not_pulled(wait_status(server.ecs, arns[family], "STOPPED", 40))
    assert time.monotonic() - started < 25


def test_the_local_image_will_do_when_the_registry_is_down(
    server: Server, registry: Registry
) -> None:
    reference = registry.push(BUSYBOX, "app")
    register(server.ecs, "app", shell("exit 0", image=reference))
    run_to(server.ecs, "app", "STOPPED")
    registry.stop()
    arn = run(server.ecs, "app")[0]
    assert wait_status(server.ecs, arn, "STOPPED", 60)["containers"][0]["exitCode"] == 0


def test_a_task_is_stopped_during_its_pull(
    server: Server, hanging_registry: HangingRegistry
) -> None:
    register(server.ecs, "hangs", forever(image=hanging_registry.reference("app")))
    (arn,) = run(server.ecs, "hangs")
    wait_until(lambda: hanging_registry.connections > 0, 10, "the pull")
    started = time.monotonic()
    task = stop_and_wait(server.ecs, arn)
    assert time.monotonic() - started < 8
    assert task["stopCode"] == "UserInitiated"
    assert "startedAt" not in task
    assert "exitCode" not in task["containers"][0]


def test_a_pull_that_hangs_holds_up_nobody_else(
    server: Server, hanging_registry: HangingRegistry
) -> None:
    register(server.ecs, "hangs", forever(image=hanging_registry.reference("app")))
    register(server.ecs, "app", forever())
    run(server.ecs, "hangs", 3)
    wait_until(lambda: hanging_registry.connections > 0, 10, "the pull")
    started = time.monotonic()
    run_to(server.ecs, "app", "RUNNING")
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("behavior", ["prefer-cached", "once"])
def test_pull_behaviors_that_do_not_ask_again(
    start_server: Any, registry: Registry, behavior: str
) -> None:
    server: Server = start_server(options=["--image-pull-behavior", behavior])
    reference = registry.push(BUSYBOX, "app")
    if behavior == "prefer-cached":
        engine.docker("pull", "--quiet", reference)
    register(server.ecs, "app", shell("exit 0", image=reference))
    if behavior == "once":
        run_to(server.ecs, "app", "STOPPED")
    registry.stop()
    started = time.monotonic()
    assert run_to(server.ecs, "app", "STOPPED")["containers"][0]["exitCode"] == 0
    assert time.monotonic() - started < 8


def test_always_does_not_take_the_local_image(start_server: Any, registry: Registry) -> None:
    server: Server = start_server(options=["--image-pull-behavior", "always"])
    reference = registry.push(BUSYBOX, "app")
    register(server.ecs, "app", shell("exit 0", image=reference))
    run_to(server.ecs, "app", "STOPPED")
    registry.stop()
    (arn,) = run(server.ecs, "app")
    assert_not_pulled(wait_status(server.ecs, arn, "STOPPED", 40))
