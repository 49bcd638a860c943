"""`longshore serve`: configuration, data directory, pages for probes, start and end."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from harness import clients, engine, process, wire
from harness.ecs_calls import (
    container,
    describe,
    listed,
    refused,
    register,
    run,
    run_to,
    wait_status,
)
from harness.ports import free_port
from harness.real_tasks import forever, of_task
from harness.server import Server


def get(server: Server, path: str) -> wire.Answer:
    """A page."""
    return wire.request(server.endpoint, "GET", path)


# Pages.


def test_healthz_and_readyz(simulated_server: Server) -> None:
    assert (get(simulated_server, "/healthz").status, get(simulated_server, "/readyz").status) == (
        200,
        200,
    )


def test_metrics_count_requests_by_operation_and_code(simulated_server: Server) -> None:
    for _ in range(3):
        simulated_server.ecs.list_tasks()
    refused(simulated_server.ecs.list_tasks, cluster="nobody")
    lines = get(simulated_server, "/metrics").body.decode().splitlines()
    assert 'longshore_requests_total{operation="ListTasks",code="200"} 3' in lines
    assert 'longshore_requests_total{operation="ListTasks",code="400"} 1' in lines
    assert all(line.startswith(("#", "longshore_")) for line in lines)


# The data directory.


def test_a_second_server_on_the_same_data_is_refused_and_does_no_harm(
    simulated_server: Server, tmp_path: Path
) -> None:
    simulated_server.ecs.create_cluster(clusterName="blue")
    address = f"127.0.0.1:{free_port()}"
    arguments = ["--data-dir", simulated_server.data_dir, "--listen", address]
    done = process.run(tmp_path, "serve", *arguments, "--engine", "simulated")
    assert done.returncode == 1
    assert "is in use by another longshore server" in done.stderr
    assert len(simulated_server.ecs.list_clusters()["clusterArns"]) == 2


def test_a_port_in_use_is_said(simulated_server: Server, tmp_path: Path) -> None:
    address = f"127.0.0.1:{simulated_server.port}"
    arguments = ["--data-dir", tmp_path / "data", "--listen", address, "--engine", "simulated"]
    done = process.run(tmp_path, "serve", *arguments)
    assert done.returncode == 1
    assert f"cannot listen on {address}" in done.stderr


def store_file(server: Server) -> Path:
    """The server's database."""
    return server.data_dir / "longshore.db"


def settle(path: Path) -> None:
    """Brings what still stands in the log of a database that nobody has open into its file."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def refuses_to_start(server: Server) -> str:
    """What a server says that must not start."""
    before = server.log()
    server.start(ready=False)
    assert server.wait_exit() == 1
    return server.log().removeprefix(before)


@pytest.mark.parametrize("page", [0, 2])
def test_a_damaged_file_is_refused_and_not_overwritten(
    simulated_server: Server, page: int
) -> None:
    register(simulated_server.ecs)
    run(simulated_server.ecs, "app", 5)
    simulated_server.stop()
    path = store_file(simulated_server)
    settle(path)
    content = bytearray(path.read_bytes())
    # The second page (1) is the map of the vacuum, which holds no data and is not looked at.
    begin = page * int.from_bytes(content[16:18], "big")
    content[begin : begin + 2048] = b"\x5a" * 2048
    path.write_bytes(content)
    said = refuses_to_start(simulated_server)
    assert "is damaged" in said
    assert "restore it from a backup, or move it away to start empty" in said
    assert path.read_bytes() == content


def test_a_changed_row_is_refused_by_its_checksum(simulated_server: Server) -> None:
    simulated_server.ecs.create_cluster(clusterName="blue")
    simulated_server.stop()
    path = store_file(simulated_server)
    with sqlite3.connect(path) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master")]
        table = next(name for name in tables if "cluster" in name)
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        body = next(name for name in columns if name in ("body", "record", "value", "json"))
        changed = database.execute(
            f"UPDATE {table} SET {body} = replace({body}, 'blue', 'glue')"
        ).rowcount
    database.close()
    assert changed > 0
    assert "is damaged" in refuses_to_start(simulated_server)


def test_operators_can_read_the_file_while_the_server_runs(simulated_server: Server) -> None:
    simulated_server.ecs.create_cluster(clusterName="legible")
    path = store_file(simulated_server)
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    text = "\n".join(database.iterdump())
    database.close()
    assert "legible" in text


# Configuration.


def test_flag_over_environment_over_file(tmp_path: Path) -> None:
    ports = [free_port() for _ in range(3)]
    config = tmp_path / "longshore.toml"

    def url_with(arguments: list[str], **env: str) -> str:
        with process.serving(tmp_path, ["--config", str(config), *arguments], **env) as (url, _):
            assert listed(clients.ecs(url)) == []
            return url

    config.write_text(f'listen = "127.0.0.1:{ports[0]}"\nengine = "simulated"\ndata_dir = "d"\n')
    assert url_with([]) == f"http://127.0.0.1:{ports[0]}"
    assert (tmp_path / "d").is_dir()
    env = {"LONGSHORE_LISTEN": f"127.0.0.1:{ports[1]}"}
    assert url_with([], **env) == f"http://127.0.0.1:{ports[1]}"
    arguments = ["--listen", f"127.0.0.1:{ports[2]}"]
    assert url_with(arguments, **env) == f"http://127.0.0.1:{ports[2]}"


def test_the_default_data_directory_is_below_xdg_data_home(tmp_path: Path) -> None:
    arguments = ["--listen", "127.0.0.1:0", "--engine", "simulated"]
    with process.serving(tmp_path, arguments, XDG_DATA_HOME=str(tmp_path / "xdg")):
        assert (tmp_path / "xdg" / "longshore").is_dir()
    with process.serving(tmp_path, arguments):
        assert (tmp_path / ".local" / "share" / "longshore").is_dir()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('colour = "blue"', "colour"),
        ("listen = ", "longshore.toml"),
        ('engine = "steam"', "steam"),
        ("task_retention_seconds = 60", "3600"),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    config = tmp_path / "longshore.toml"
    config.write_text(text + "\n")
    done = process.run(tmp_path, "serve", "--config", config)
    assert done.returncode == 2
    assert said in done.stderr


def test_privileged_containers_need_a_flag_without_signatures(start_server: Any) -> None:
    shut, open_ = (
        start_server(engine_kind="simulated", options=options).ecs
        for options in ([], ["--allow-privileged-unauthenticated"])
    )
    for ecs in (shut, open_):
        register(ecs, "root", container(privileged=True))
    refusal = refused(shut.run_task, taskDefinition="root")
    assert "--allow-privileged-unauthenticated" in refusal.message
    run(open_, "root")


# The end, and the next start.


def test_sigterm_leaves_containers_and_a_restart_adopts_them(server: Server) -> None:
    register(server.ecs, "app", forever())
    arns = run(server.ecs, "app", 2)
    for arn in arns:
        wait_status(server.ecs, arn, "RUNNING", 60)
    before = {arn: of_task(arn)["main"]["Id"] for arn in arns}
    started = {arn: describe(server.ecs, arn)["startedAt"] for arn in arns}
    server.stop()
    assert all(of_task(arn)["main"]["State"]["Running"] for arn in arns)
    server.start()
    assert listed(server.ecs) == arns
    for arn in arns:
        task = wait_status(server.ecs, arn, "RUNNING")
        assert task["startedAt"] == started[arn]
        assert task["containers"][0]["runtimeId"] == before[arn] == of_task(arn)["main"]["Id"]


def test_stop_tasks_on_exit_leaves_nothing(start_server: Any, busybox: str) -> None:
    server: Server = start_server(options=["--stop-tasks-on-exit"])
    register(server.ecs, "app", forever())
    for arn in run(server.ecs, "app", 2):
        wait_status(server.ecs, arn, "RUNNING", 60)
    assert len(server.containers()) == 2
    server.stop()
    assert server.containers() == []
    assert engine.networks_of_node(server.node_id) == []
    server.start()
    assert listed(server.ecs) == []
    assert len(listed(server.ecs, desiredStatus="STOPPED")) == 2


def test_stop_tasks_on_exit_kills_what_does_not_listen(start_server: Any, busybox: str) -> None:
    server: Server = start_server(options=["--stop-tasks-on-exit"])
    register(server.ecs, "stubborn", forever(on_term="", stopTimeout=2))
    run_to(server.ecs, "stubborn", "RUNNING")
    server.stop()
    assert server.containers() == []


def test_simulated_containers_end_with_the_server(simulated_server: Server) -> None:
    register(simulated_server.ecs)
    arn = run_to(simulated_server.ecs, "app", "RUNNING")["taskArn"]
    simulated_server.restart()
    wait_status(simulated_server.ecs, arn, "STOPPED")
    assert listed(simulated_server.ecs) == []


def test_the_memory_store_forgets(start_server: Any) -> None:
    server: Server = start_server(engine_kind="simulated", options=["--store", "memory"])
    server.ecs.create_cluster(clusterName="blue")
    server.restart()
    assert len(server.ecs.list_clusters()["clusterArns"]) == 1


def test_many_restarts_in_a_row(simulated_server: Server) -> None:
    for n in range(5):
        simulated_server.ecs.create_cluster(clusterName=f"c{n}")
        simulated_server.restart() if n % 2 else simulated_server.kill9()
        if not simulated_server.is_running:
            simulated_server.start()
    assert len(simulated_server.ecs.list_clusters()["clusterArns"]) == 6


# Figures.


def test_cold_start_and_idle_memory(tmp_path: Path) -> None:
    arguments = ["--listen", "127.0.0.1:0", "--engine", "simulated", "--data-dir", "data"]
    started = time.monotonic()
    with process.serving(tmp_path, arguments) as (url, pid):
        assert wire.post(url, "ListTasks").json == {"taskArns": []}
        print(f"cold start to first answer: {(time.monotonic() - started) * 1000:.0f} ms")
        status = Path(f"/proc/{pid}/status").read_text()
        (resident,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
        print(f"idle memory: {int(resident.split()[1]) / 1024:.1f} MiB")
