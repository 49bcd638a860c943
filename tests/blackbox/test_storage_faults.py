"""A disk that is full or read-only: writes fail and say why, reads go on, and everything goes on
by itself when there is room again. Nothing acknowledged is lost. Needs root, for the mounts."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import disks
from harness.disks import Disk
from harness.ecs_calls import Refusal, listed, refused, register, run
from harness.server import Server, ServerFailed
from harness.wait import wait_until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    with disks.in_memory(tmp_path / "disk", 16) as disk:
        yield disk


@pytest.fixture
def ext4(tmp_path: Path) -> Iterator[Disk]:
    with disks.in_a_file(tmp_path / "disk", 32) as disk:
        yield disk


def on(disk: Disk, start_server: Any, **options: Any) -> Server:
    """A server that is not started, with its data on this disk and its log elsewhere."""
    server: Server = start_server(
        start=False, engine_kind="simulated", options=["--builtin-memory", "10000000"], **options
    )
    server.data_dir = disk.path / "data"
    return server


def run_until_refused(server: Server) -> tuple[list[str], Refusal]:
    """Runs tasks until a call fails; what was acknowledged, and the refusal."""
    ran: list[str] = []

    def fails() -> Refusal | None:
        try:
            ran.extend(run(server.ecs, "app", 10))
        except ClientError as e:
            assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 500
            return Refusal(e.response["Error"]["Code"], e.response["Error"].get("Message", ""))
        return None

    return ran, wait_until(fails, 60, "a refusal", interval=0.001)


def run_until_accepted(server: Server) -> list[str]:
    """Runs a task, as soon as that works."""
    return wait_until(
        lambda: run(server.ecs, "app"), 30, "a write that works", tolerate=(ClientError,)
    )


def everything(server: Server) -> set[str]:
    """The ARNs of all tasks, in whatever status."""
    return set(listed(server.ecs)) | set(listed(server.ecs, desiredStatus="STOPPED"))


def said_since(server: Server, before: str) -> str:
    return server.log().removeprefix(before)


def refuses_to_start(server: Server) -> str:
    """What a server says that cannot start."""
    before = server.log()
    server.start(ready=False)
    assert server.wait_exit() == 1
    return said_since(server, before)


def serves_or_says_why_not(server: Server) -> str | None:
    """What a server says that cannot start; None if it serves."""
    before = server.log()
    try:
        server.start()
    except ServerFailed:
        assert server.wait_exit() == 1
        return said_since(server, before)
    return None


def test_on_a_full_disk_writes_fail_reads_go_on_and_it_recovers_by_itself(
    small_disk: Disk, start_server: Any
) -> None:
    server = on(small_disk, start_server).start()
    register(server.ecs)
    ran = run(server.ecs, "app", 10)
    small_disk.fill()
    more, refusal = run_until_refused(server)
    ran += more
    assert refusal.code == "ServerException"
    assert "database or disk is full (No space left on device" in server.log()
    assert "the disk is full: free some space on it" in server.log()
    for _ in range(3):
        assert refused(server.ecs.run_task, status=500, taskDefinition="app") == refusal
        assert everything(server) == set(ran)
        assert len(server.ecs.describe_tasks(tasks=ran[:100])["tasks"]) == len(ran[:100])
    pid = server.pid
    small_disk.free()
    ran += run_until_accepted(server)
    assert server.pid == pid
    assert everything(server) == set(ran)
    server.kill9()
    server.start()
    assert everything(server) == set(ran)


def test_a_kill_on_a_full_disk_loses_nothing_acknowledged(
    small_disk: Disk, start_server: Any
) -> None:
    server = on(small_disk, start_server).start()
    register(server.ecs)
    ran = run(server.ecs, "app", 10)
    small_disk.fill()
    more, _ = run_until_refused(server)
    ran += more
    server.kill9()
    # Bringing the log into the file may just have room, or not: it serves, or says why it cannot.
    said = serves_or_says_why_not(server)
    if said is None:
        assert everything(server) == set(ran)
        small_disk.free()
    else:
        assert "the disk is full: free some space on it" in said
        small_disk.free()
        server.start()
    assert everything(server) == set(ran)
    ran += run_until_accepted(server)
    assert everything(server) == set(ran)


def test_a_start_on_a_full_disk_says_so_and_leaves_nothing_that_harms(
    small_disk: Disk, start_server: Any
) -> None:
    small_disk.fill()
    server = on(small_disk, start_server)
    said = refuses_to_start(server)
    assert "No space left on device" in said or "disk is full" in said
    assert "free some space on it" in said
    small_disk.free()
    server.start()
    register(server.ecs)
    ran = run(server.ecs, "app", 3)
    assert everything(server) == set(ran)


def test_files_that_refuse_writes_are_written_again_when_they_do_not(
    ext4: Disk, start_server: Any
) -> None:
    server = on(ext4, start_server).start()
    register(server.ecs)
    ran = run(server.ecs, "app", 10)
    store = server.data_dir / "longshore.db"
    files = [store, store.with_name("longshore.db-wal")]
    ext4.freeze(*files)
    more, refusal = run_until_refused(server)
    ran += more
    assert refusal.code == "ServerException"
    assert "cannot write to the store" in server.log()
    assert everything(server) == set(ran)
    ext4.thaw(*files)
    ran += run_until_accepted(server)
    assert everything(server) == set(ran)
    server.restart()
    assert everything(server) == set(ran)


def test_a_disk_that_turns_read_only_fails_writes_and_loses_nothing(
    tmp_path: Path, start_server: Any
) -> None:
    with disks.in_a_file(tmp_path / "disk", 32) as disk:
        server = on(disk, start_server).start()
        register(server.ecs)
        ran = run(server.ecs, "app", 10)
        os.sync()
        # What the system does to a disk that fails: no more writes, also to open files.
        disk.remount("abort")
        more, refusal = run_until_refused(server)
        ran += more
        assert refusal.code == "ServerException"
        assert "Read-only file system" in server.log()
        assert everything(server) == set(ran)
        server.kill9()
    with disks.mounted(disk.path.with_suffix(".img"), disk.path):
        server.start()
        assert everything(server) == set(ran)
        ran += run_until_accepted(server)
        assert everything(server) == set(ran)
        server.stop()


def test_a_start_on_a_read_only_disk_says_so(small_disk: Disk, start_server: Any) -> None:
    server = on(small_disk, start_server).start()
    register(server.ecs)
    ran = set(run(server.ecs, "app", 3))
    server.stop()
    small_disk.remount("ro")
    said = refuses_to_start(server)
    assert "Read-only file system" in said
    assert "make its disk writable, or choose another --data-dir" in said
    small_disk.remount("rw")
    server.start()
    assert everything(server) == ran
