"""`longshore backup` and `longshore restore` under running tasks.

What the backup knows goes on; what it does not know is kept and listed for --orphan-grace, and
belongs to its task again after the restore of a backup that knows it.
"""

import stat
from pathlib import Path
from typing import Any

import pytest

from harness import process, wire
from harness.ecs_calls import (
    describe,
    invalid,
    listed,
    refused,
    register,
    register_fargate,
    run,
    run_fargate,
    run_to,
    wait_status,
)
from harness.ports import free_port
from harness.real_tasks import TASK_LABEL, forever, of_task, shell
from harness.server import Server
from harness.wait import wait_until

VERSION = "longshore_store_version"


def command(server: Server, name: str, *arguments: str | Path) -> str:
    """Runs `longshore NAME` on the server's data; its standard output."""
    done = process.run(server.folder, name, "--data-dir", server.data_dir, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def gauge(server: Server, name: str) -> int:
    """A gauge of /metrics."""
    text = wire.request(server.endpoint, "GET", "/metrics").body.decode()
    (line,) = [one for one in text.splitlines() if one.startswith(f"{name} ")]
    return int(line.split()[1])


def restore(server: Server, file: Path) -> None:
    """Restores a backup and waits until the running server has taken it over."""
    before = gauge(server, VERSION)
    command(server, "restore", file)
    wait_until(lambda: gauge(server, VERSION) >= before + 2**32, 10, "the restore is noticed")


def orphans(server: Server) -> dict[str, list[str]]:
    """The lines of `longshore orphans` by container, each in its columns."""
    lines = command(server, "orphans").splitlines()
    if not lines:
        return {}
    assert lines[0].split("  ")[0].strip() == "CONTAINER"
    return {line.split()[0]: line.split() for line in lines[1:]}


def containers(arn: str) -> dict[str, tuple[str, bool]]:
    """Id and whether it runs of each container of a task."""
    return {name: (one["Id"], one["State"]["Running"]) for name, one in of_task(arn).items()}


def name_of(arn: str) -> str:
    """The engine's name of a task's only container."""
    return str(of_task(arn)["main"]["Name"]).lstrip("/")


def run_up(server: Server, family: str, count: int = 1) -> list[str]:
    """Runs tasks and waits until they are RUNNING."""
    arns = run(server.ecs, family, count)
    for arn in arns:
        wait_status(server.ecs, arn, "RUNNING", 60)
    return arns


def test_tasks_of_the_backup_go_on_and_others_are_kept_and_listed(
    server: Server, tmp_path: Path
) -> None:
    register(server.ecs, "app", forever())
    known = run_up(server, "app", 2)
    older = tmp_path / "older"
    command(server, "backup", older)
    assert stat.S_IMODE(older.stat().st_mode) == 0o600
    unknown = run_up(server, "app", 2)
    newer = tmp_path / "newer"
    command(server, "backup", newer)
    before = {arn: containers(arn) for arn in known + unknown}

    restore(server, older)
    wait_until(lambda: gauge(server, "longshore_orphan_containers") == 2, 20, "the orphans")
    found = wait_until(lambda: orphans(server), 10, "the list of orphans")
    assert {line[1] for line in found.values()} == set(unknown)
    assert set(found) == {name_of(arn) for arn in unknown}
    assert all(line[2] == of_task(line[1])["main"]["Config"]["Image"] for line in found.values())
    assert sorted(listed(server.ecs)) == sorted(known)
    for arn in known:
        assert wait_status(server.ecs, arn, "RUNNING")["containers"][0]["lastStatus"] == "RUNNING"
    answer = server.ecs.describe_tasks(tasks=unknown)
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING", "MISSING"]
    assert "the server does not know this task" in server.log()

    # A restart changes nothing: they are still kept, and were first seen when they were.
    server.restart()
    wait_until(lambda: gauge(server, "longshore_orphan_containers") == 2, 20, "the orphans")
    assert orphans(server) == found
    assert {arn: containers(arn) for arn in known + unknown} == before

    # A newer backup knows them: they are tasks again, with the same containers.
    restore(server, newer)
    wait_until(lambda: orphans(server) == {}, 20, "no orphans any more")
    for arn in known + unknown:
        wait_status(server.ecs, arn, "RUNNING")
    assert {arn: containers(arn) for arn in known + unknown} == before
    server.ecs.stop_task(task=unknown[0])
    wait_status(server.ecs, unknown[0], "STOPPED")


def test_orphans_go_when_their_grace_is_over(
    start_server: Any, busybox: str, tmp_path: Path
) -> None:
    options = ["--orphan-grace", "4s", "--container-cleanup-wait-seconds", "1"]
    server: Server = start_server(options=options)
    register(server.ecs, "app", forever(on_term="exit 7"))
    (known,) = run_up(server, "app")
    file = tmp_path / "backup"
    command(server, "backup", file)
    (unknown,) = run_up(server, "app")
    before = containers(known)
    restore(server, file)
    found = wait_until(lambda: orphans(server), 20, "the list of orphans")
    assert list(found) == [name_of(unknown)]
    assert containers(unknown)["main"][1]
    wait_until(lambda: containers(unknown) == {}, 30, "the end of the orphan")
    wait_until(lambda: orphans(server) == {}, 10, "an empty list")
    assert "an orphan's grace is over" in server.log()
    assert containers(known) == before
    assert describe(server.ecs, known)["lastStatus"] == "RUNNING"


def test_what_happened_since_the_backup_is_told_again(server: Server, tmp_path: Path) -> None:
    """A task that had not begun runs now, and one that ran has ended: both are reported anew."""
    register(server.ecs, "app", forever())
    register(server.ecs, "job", shell("trap 'exit 5' TERM; while :; do sleep 0.1; done"))
    (ends,) = run_up(server, "job")
    (starts,) = run(server.ecs, "app")
    file = tmp_path / "backup"
    command(server, "backup", file)
    wait_status(server.ecs, starts, "RUNNING", 60)
    server.ecs.stop_task(task=ends)
    assert wait_status(server.ecs, ends, "STOPPED")["containers"][0]["exitCode"] == 5
    before = containers(starts)
    restore(server, file)
    wait_status(server.ecs, starts, "RUNNING")
    assert wait_status(server.ecs, ends, "STOPPED")["containers"][0]["exitCode"] == 5
    assert containers(starts) == before
    assert orphans(server) == {}


def test_a_new_task_runs_beside_orphans_but_not_on_their_ports(
    server: Server, tmp_path: Path
) -> None:
    port = free_port()
    register(server.ecs, "web", forever(portMappings=[{"containerPort": 80, "hostPort": port}]))
    register(server.ecs, "app", forever())
    file = tmp_path / "backup"
    command(server, "backup", file)
    (orphan,) = run_up(server, "web")
    restore(server, file)
    wait_until(lambda: len(orphans(server)) == 1, 20, "the list of orphans")
    run_up(server, "app")
    (web,) = run(server.ecs, "web")
    task = wait_status(server.ecs, web, "STOPPED", 60)
    assert str(port) in task["stoppedReason"] + str(task["containers"][0].get("reason")), task
    assert containers(orphan)["main"][1]


def test_a_traversal_across_a_restore_goes_on_or_is_refused(
    simulated_server: Server, tmp_path: Path
) -> None:
    server = simulated_server
    register(server.ecs)
    run(server.ecs, "app", 10)
    run(server.ecs, "app", 5)
    file = tmp_path / "backup"
    command(server, "backup", file)
    before = listed(server.ecs)
    first = server.ecs.list_tasks(maxResults=5)
    restore(server, file)
    rest = server.ecs.list_tasks(nextToken=first["nextToken"])
    assert first["taskArns"] + rest["taskArns"] == before


def test_the_backup_of_another_server_is_taken_over_whole(
    start_server: Any, tmp_path: Path
) -> None:
    one: Server = start_server(engine_kind="simulated")
    two: Server = start_server(engine_kind="simulated")
    for server in (one, two):
        register(server.ecs)
        run(server.ecs, "app", 3)
    token = two.ecs.list_tasks(maxResults=1)["nextToken"]
    file = tmp_path / "backup"
    command(one, "backup", file)
    restore(two, file)
    assert listed(two.ecs) == listed(one.ecs)
    assert refused(two.ecs.list_tasks, nextToken=token) == invalid("Invalid token")
    # Its own node is entered again, and runs new tasks.
    wait_until(lambda: "the built-in node has been entered again" in two.log(), 10, "its node")
    run_to(two.ecs, "app", "RUNNING")
    run_fargate(two.ecs, register_fargate(two.ecs))


@pytest.mark.parametrize("running", [True, False])
def test_a_restore_needs_no_server(
    start_server: Any, busybox: str, tmp_path: Path, running: bool
) -> None:
    server: Server = start_server()
    register(server.ecs, "app", forever())
    (known,) = run_up(server, "app")
    file = tmp_path / "backup"
    command(server, "backup", file)
    (unknown,) = run_up(server, "app")
    if running:
        server.kill9()
    else:
        server.stop()
    command(server, "restore", file)
    server.start()
    wait_status(server.ecs, known, "RUNNING")
    wait_until(lambda: list(orphans(server)) == [name_of(unknown)], 20, "the list of orphans")
    labels = {one["Config"]["Labels"][TASK_LABEL] for one in server.containers()}
    assert labels == {known, unknown}
