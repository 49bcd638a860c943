"""The test image and the registries, on the real engine."""

import time

import pytest

from harness import engine
from harness.images import BUSYBOX, busybox_rootfs, ensure_busybox
from harness.ports import free_port
from harness.registry import HangingRegistry, Registry
from harness.wait import wait_until


def test_the_image_runs_stops_and_takes_an_exec(busybox: str) -> None:
    script = "trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done"
    made = engine.docker("run", "-d", "--network", "none", busybox, "sh", "-c", script)
    try:
        wait_until(lambda: "up" in engine.docker("logs", made), 30, "the container's first line")
        assert engine.docker("exec", made, "cat", "/etc/group").startswith("root:")
        engine.docker("stop", "--time", "30", made)
        template = "{{.State.ExitCode}}"
        assert engine.docker("inspect", "--format", template, made) == "7"
    finally:
        engine.docker("rm", "--force", made)


def test_the_image_has_no_digest_and_is_not_imported_again(busybox: str) -> None:
    template = "{{.Id}} {{.RepoDigests}}"
    before = engine.docker("image", "inspect", "--format", template, busybox)
    assert before.endswith(" []")
    assert ensure_busybox() == BUSYBOX
    assert engine.docker("image", "inspect", "--format", template, busybox) == before
    assert busybox_rootfs() == busybox_rootfs()


def test_a_pushed_image_is_pulled_and_a_wrong_tag_is_not_there(
    registry: Registry, busybox: str
) -> None:
    reference = registry.push(busybox, "team/app", "2")
    with pytest.raises(engine.EngineError, match="No such image"):
        engine.docker("image", "inspect", reference)
    engine.docker("pull", "--quiet", reference)
    template = "{{.Id}} {{.RepoDigests}}"
    pulled = engine.docker("image", "inspect", "--format", template, reference)
    local = engine.docker("image", "inspect", "--format", template, busybox)
    assert "@sha256:" in pulled
    assert local.endswith(" []"), "pushing a copy must not give the local image a digest"
    with pytest.raises(engine.EngineError, match="manifest unknown|not found"):
        engine.docker("pull", registry.reference("team/app", "3"))


def test_a_stopped_registry_refuses_and_has_its_images_when_it_is_back(
    registry: Registry, busybox: str
) -> None:
    reference = registry.push(busybox, "app")
    registry.stop()
    with pytest.raises(engine.EngineError, match="connection refused"):
        engine.docker("pull", reference)
    registry.start()
    engine.docker("pull", "--quiet", reference)


def test_nothing_listens_on_a_free_port(busybox: str) -> None:
    with pytest.raises(engine.EngineError, match="connection refused"):
        engine.docker("pull", f"127.0.0.1:{free_port()}/app:1")


def test_a_pull_from_the_hanging_registry_does_not_end(hanging_registry: HangingRegistry) -> None:
    started = time.monotonic()
    with pytest.raises(engine.EngineError, match="no end within 3 s"):
        engine.docker("pull", hanging_registry.reference("app"), deadline=3)
    assert time.monotonic() - started >= 3
    assert hanging_registry.connections > 0
