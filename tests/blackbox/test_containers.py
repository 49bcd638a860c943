"""Tasks as real containers: exit codes, essential ones, overrides, limits, stops."""

import hashlib
from typing import Any

import pytest

from harness import engine
from harness.ecs_calls import describe, register, run, run_to, stop_and_wait, wait_status
from harness.real_tasks import FOREVER, NAME_LABEL, TASK_LABEL, forever, of_task, shell
from harness.server import Server
from harness.wait import wait_until

STATES = ["createdAt", "pullStartedAt", "pullStoppedAt", "startedAt", "executionStoppedAt"]


def exit_codes(task: dict[str, Any]) -> dict[str, int | None]:
    """The exit code of each container."""
    return {c["name"]: c.get("exitCode") for c in task["containers"]}


@pytest.mark.parametrize("code", [0, 5, 255])
def test_an_exit_code_is_reported(server: Server, code: int) -> None:
    register(server.ecs, "brief", shell(f"exit {code}"))
    task = run_to(server.ecs, "brief", "STOPPED")
    assert exit_codes(task) == {"main": code}
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    times = [task[name] for name in STATES]
    assert times == sorted(times)


def test_a_running_task_is_one_running_container(server: Server) -> None:
    register(server.ecs, "app", forever())
    task = run_to(server.ecs, "app", "RUNNING")
    (only,) = task["containers"]
    found = of_task(task["taskArn"])["main"]
    assert found["State"]["Running"]
    assert found["Id"] == only["runtimeId"]
    labels = found["Config"]["Labels"]
    assert labels[TASK_LABEL] == task["taskArn"]
    assert labels["com.amazonaws.ecs.cluster"] == "default"
    assert labels["com.amazonaws.ecs.task-definition-family"] == "app"
    assert labels["com.amazonaws.ecs.task-definition-version"] == "1"
    assert labels[NAME_LABEL] == "main"
    assert labels["longshore.node"] == server.node_id
    digest = hashlib.sha256(f"{task['taskArn']}\0main".encode()).hexdigest()
    assert found["Name"] == f"/ecs-app-1-main-{digest[:20]}"
    log = found["HostConfig"]["LogConfig"]
    assert (log["Type"], log["Config"]["max-size"], log["Config"]["max-file"]) == (
        "json-file",
        "10m",
        "3",
    )


def test_the_end_of_an_essential_container_stops_the_others(server: Server) -> None:
    first = shell("sleep 1; exit 9", "first")
    register(server.ecs, "two", first, forever("second", on_term="exit 6"))
    task = run_to(server.ecs, "two", "STOPPED")
    assert exit_codes(task) == {"first": 9, "second": 6}
    assert task["stopCode"] == "EssentialContainerExited"
    assert not any(c["State"]["Running"] for c in of_task(task["taskArn"]).values())


def test_the_end_of_another_container_does_not(server: Server) -> None:
    containers = [forever("main"), shell("exit 4", "side", essential=False)]
    register(server.ecs, "two", *containers, forever("third", essential=False))
    (arn,) = run(server.ecs, "two")
    wait_until(lambda: exit_codes(describe(server.ecs, arn))["side"] == 4, 30, "the end of side")
    task = wait_status(server.ecs, arn, "RUNNING")
    assert {c["name"]: c["lastStatus"] for c in task["containers"]} == {
        "main": "RUNNING", "side": "STOPPED", "third": "RUNNING",
    }  # fmt: skip
    assert exit_codes(stop_and_wait(server.ecs, arn)) == {"main": 0, "side": 4, "third": 0}


def test_environment_command_and_entry_point_with_overrides(server: Server) -> None:
    environment = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    register(server.ecs, "sum", shell("exit $((A * 10 + B))", environment=environment))

    def code(**override: Any) -> int | None:
        overrides = {"containerOverrides": [{"name": "main", **override}]}
        return exit_codes(run_to(server.ecs, "sum", "STOPPED", overrides=overrides))["main"]

    assert code() == 12
    assert code(environment=[{"name": "B", "value": "7"}]) == 17
    assert code(environment=[{"name": "C", "value": "9"}], command=["exit $((A + C))"]) == 10
    assert code(command=["exit 77"]) == 77


def test_limits_are_what_the_engine_has(server: Server) -> None:
    register(server.ecs, "sized", forever(cpu=300, memory=40, memoryReservation=20))
    host = of_task(run_to(server.ecs, "sized", "RUNNING")["taskArn"])["main"]["HostConfig"]
    assert (host["CpuShares"], host["Memory"], host["MemoryReservation"]) == (
        300, 40 << 20, 20 << 20,
    )  # fmt: skip
    override = {"name": "main", "cpu": 200, "memory": 50, "memoryReservation": 30}
    overrides = {"containerOverrides": [override]}
    task = run_to(server.ecs, "sized", "RUNNING", overrides=overrides)
    host = of_task(task["taskArn"])["main"]["HostConfig"]
    assert (host["CpuShares"], host["Memory"], host["MemoryReservation"]) == (
        200, 50 << 20, 30 << 20,
    )  # fmt: skip


def test_other_members_reach_the_container(server: Server) -> None:
    register(
        server.ecs, "full",
        forever(
            user="nobody", workingDirectory="/tmp", hostname="ship", readonlyRootFilesystem=True,
            dockerLabels={"team": "blue"},
            ulimits=[{"name": "nofile", "softLimit": 99, "hardLimit": 100}],
            linuxParameters={"initProcessEnabled": True, "capabilities": {"drop": ["NET_RAW"]}},
            extraHosts=[{"hostname": "db", "ipAddress": "10.0.0.1"}],
        ),
    )  # fmt: skip
    found = of_task(run_to(server.ecs, "full", "RUNNING")["taskArn"])["main"]
    config, host = found["Config"], found["HostConfig"]
    assert (config["User"], config["WorkingDir"], config["Hostname"]) == ("nobody", "/tmp", "ship")
    assert config["Labels"]["team"] == "blue"
    assert host["ReadonlyRootfs"] and host["Init"]
    assert host["CapDrop"] == ["NET_RAW"]
    assert host["ExtraHosts"] == ["db:10.0.0.1"]
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 99, "Hard": 100}]


def test_a_container_over_its_memory_is_reported_as_such(server: Server) -> None:
    register(server.ecs, "greedy", shell("tail /dev/zero", memory=16))
    task = run_to(server.ecs, "greedy", "STOPPED")
    (only,) = task["containers"]
    assert only["exitCode"] == 137
    assert only["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert task["stoppedReason"] == "Essential container in task exited"


# Stops.


def test_a_stop_is_sigterm_first(server: Server) -> None:
    register(server.ecs, "app", forever(on_term="exit 7"))
    arn = run_to(server.ecs, "app", "RUNNING")["taskArn"]
    task = stop_and_wait(server.ecs, arn)
    assert exit_codes(task) == {"main": 7}
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "Task stopped by user")


def test_after_the_stop_timeout_it_is_sigkill(server: Server) -> None:
    register(server.ecs, "stubborn", forever(on_term="", stopTimeout=2))
    arn = run_to(server.ecs, "stubborn", "RUNNING")["taskArn"]
    task = stop_and_wait(server.ecs, arn)
    assert exit_codes(task) == {"main": 137}
    waited = (task["executionStoppedAt"] - task["stoppingAt"]).total_seconds()
    assert 1.9 <= waited < 10


def test_a_container_that_somebody_kills_is_noticed(server: Server) -> None:
    register(server.ecs, "app", forever())
    arn = run_to(server.ecs, "app", "RUNNING")["taskArn"]
    engine.docker("kill", of_task(arn)["main"]["Id"])
    assert exit_codes(wait_status(server.ecs, arn, "STOPPED")) == {"main": 137}


def test_a_container_that_somebody_removes_is_noticed(server: Server) -> None:
    register(server.ecs, "app", forever())
    arn = run_to(server.ecs, "app", "RUNNING")["taskArn"]
    engine.docker("rm", "--force", of_task(arn)["main"]["Id"])
    task = wait_status(server.ecs, arn, "STOPPED")
    assert task["stopCode"] == "EssentialContainerExited"


def test_stopped_containers_are_removed_after_the_cleanup_wait(
    start_server: Any, busybox: str
) -> None:
    server = start_server(options=["--container-cleanup-wait-seconds", "1"])
    register(server.ecs, "brief", shell("exit 3"))
    register(server.ecs, "app", forever())
    running = run_to(server.ecs, "app", "RUNNING")["taskArn"]
    arn = run_to(server.ecs, "brief", "STOPPED")["taskArn"]
    wait_until(lambda: of_task(arn) == {}, 30, "the removal")
    assert exit_codes(describe(server.ecs, arn)) == {"main": 3}
    assert of_task(running)["main"]["State"]["Running"]


# What cannot run.


@pytest.mark.parametrize(
    ("member", "containers", "task_members"),
    [
        ("healthCheck", [forever(healthCheck={"command": ["CMD", "true"]})], {}),
        (
            "dependsOn",
            [
                forever("a", dependsOn=[{"containerName": "b", "condition": "START"}]),
                forever("b"),
            ],
            {},
        ),
        ("pidMode", [forever()], {"pidMode": "task"}),
        ("links", [forever("a", links=["b"]), forever("b")], {}),
    ],
)
def test_a_field_that_is_not_built_stops_the_task_and_is_named(
    server: Server, member: str, containers: list[dict[str, Any]], task_members: dict[str, Any]
) -> None:
    register(server.ecs, "rich", *containers, **task_members)
    task = run_to(server.ecs, "rich", "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert member in task["stoppedReason"]
    assert of_task(task["taskArn"]) == {}


def test_a_command_that_is_not_there_is_a_start_error(server: Server) -> None:
    lost = shell("", entryPoint=["/bin/nobody"], command=[])
    register(server.ecs, "lost", lost)
    task = run_to(server.ecs, "lost", "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(
        ("CannotStartContainerError: ", "CannotCreateContainerError: ")
    )
    assert "/bin/nobody" in task["containers"][0]["reason"]
    assert "startedAt" not in task


def test_ten_tasks_at_once(server: Server) -> None:
    register(server.ecs, "app", shell(f"trap 'exit 0' TERM; {FOREVER}", memory=16))
    arns = run(server.ecs, "app", 10)
    for arn in arns:
        wait_status(server.ecs, arn, "RUNNING", 90)
    assert len([c for c in server.containers() if c["State"]["Running"]]) == 10
    for arn in arns:
        server.ecs.stop_task(task=arn)
    for arn in arns:
        wait_status(server.ecs, arn, "STOPPED", 90)
    assert not any(c["State"]["Running"] for c in server.containers())
