"""kill -9: nothing acknowledged is missing, each task has exactly its containers.

Between every two engine calls: test_crash_between_calls.py.
"""

import random
import threading
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from harness import clients, engine
from harness.ecs_calls import (
    listed,
    register,
    run,
    run_to,
    stop_and_wait,
    wait_status,
)
from harness.images import BUSYBOX
from harness.ports import free_port
from harness.real_tasks import TASK_LABEL, forever, of_task, shell
from harness.registry import Registry
from harness.server import Server
from harness.wait import wait_until

ACROSS_KILLS = (BotoCoreError,)


def running_containers(server: Server) -> dict[str, int]:
    """How many containers run, by task."""
    counts: dict[str, int] = {}
    for one in server.containers():
        if one["State"]["Running"]:
            arn = one["Config"]["Labels"][TASK_LABEL]
            counts[arn] = counts.get(arn, 0) + 1
    return counts


def assert_everybody_agrees(server: Server) -> None:
    """ListTasks, DescribeTasks and the engine tell the same story, now or soon."""

    def agree() -> bool:
        arns = listed(server.ecs)
        tasks = server.ecs.describe_tasks(tasks=arns)["tasks"] if arns else []
        assert sorted(t["taskArn"] for t in tasks) == sorted(arns)
        if any(t["desiredStatus"] != "RUNNING" for t in tasks):
            return False  # One began to stop between the two calls.
        up = {t["taskArn"]: 1 for t in tasks if t["lastStatus"] == "RUNNING"}
        return len(up) == len(arns) and up == running_containers(server)

    wait_until(agree, 30, "agreement of ListTasks, DescribeTasks and docker ps")


def test_after_a_kill_list_describe_and_docker_ps_agree(server: Server) -> None:
    register(server.ecs, "stays", forever())
    register(server.ecs, "exits", shell("sleep 1; exit 42"))
    stays = run(server.ecs, "stays", 4)
    for arn in stays:
        wait_status(server.ecs, arn, "RUNNING", 60)
    before = {arn: of_task(arn)["main"]["Id"] for arn in stays}
    (exits,) = run(server.ecs, "exits")
    wait_status(server.ecs, exits, "RUNNING")
    server.kill9()
    ended = wait_until(
        lambda: not of_task(exits)["main"]["State"]["Running"], 30, "the end of a container"
    )
    assert ended
    server.start()
    assert_everybody_agrees(server)
    assert listed(server.ecs) == stays
    assert {arn: of_task(arn)["main"]["Id"] for arn in stays} == before
    task = wait_status(server.ecs, exits, "STOPPED")
    assert task["containers"][0]["exitCode"] == 42
    assert task["stopCode"] == "EssentialContainerExited"


def test_what_was_stopped_just_before_the_kill_stops_after_it(server: Server) -> None:
    register(server.ecs, "slow", forever(on_term="sleep 2; exit 8", stopTimeout=20))
    (arn,) = run(server.ecs, "slow")
    wait_status(server.ecs, arn, "RUNNING")
    server.ecs.stop_task(task=arn, reason="enough")
    server.kill9()
    server.start()
    task = wait_status(server.ecs, arn, "STOPPED")
    assert task["containers"][0]["exitCode"] == 8
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert_everybody_agrees(server)


def test_a_container_removed_while_the_server_was_dead_is_noticed(server: Server) -> None:
    register(server.ecs, "app", forever())
    kept, lost = run(server.ecs, "app", 2)
    for arn in (kept, lost):
        wait_status(server.ecs, arn, "RUNNING", 60)
    server.kill9()
    engine.docker("rm", "--force", of_task(lost)["main"]["Id"])
    server.start()
    assert wait_status(server.ecs, lost, "STOPPED")["stopCode"] == "EssentialContainerExited"
    assert listed(server.ecs) == [kept]
    assert_everybody_agrees(server)


def test_ports_and_containers_are_the_same_after_a_kill(server: Server) -> None:
    ports = [{"containerPort": 8000, "hostPort": free_port()}, {"containerPort": 8001}]
    register(server.ecs, "web", forever(portMappings=ports))
    before = run_to(server.ecs, "web", "RUNNING")
    server.kill9()
    server.start()
    after = wait_status(server.ecs, before["taskArn"], "RUNNING")
    assert after["containers"] == before["containers"]
    assert len(after["containers"][0]["networkBindings"]) == 2
    answer = server.ecs.run_task(taskDefinition="web")
    assert [f["reason"] for f in answer["failures"]] == ["RESOURCE:PORTS"]


def test_tasks_of_every_region_and_cluster_are_adopted(server: Server) -> None:
    before = {}
    for region in ("eu-west-1", "ap-south-1"):
        ecs = clients.ecs(server.endpoint, region=region)
        ecs.create_cluster(clusterName="blue")
        register(ecs, "app", forever())
        before[region] = run_to(ecs, "app", "RUNNING", cluster="blue")
    server.kill9()
    server.start()
    for region, task in before.items():
        ecs = clients.ecs(server.endpoint, region=region)
        after = wait_status(ecs, task["taskArn"], "RUNNING")
        assert after["containers"] == task["containers"]
        assert stop_and_wait(ecs, task["taskArn"])["stopCode"] == "UserInitiated"


def test_a_pull_goes_on_after_a_kill(server: Server, registry: Registry) -> None:
    reference = registry.push(BUSYBOX, "app")
    registry.stop()
    register(server.ecs, "app", forever(image=reference))
    (arn,) = run(server.ecs, "app")
    server.kill9()
    registry.start()
    server.start()
    assert wait_status(server.ecs, arn, "RUNNING", 60)["containers"][0]["image"] == reference


class Load:
    """RunTask and StopTask from several threads; remembers what was acknowledged."""

    def __init__(self, server: Server, threads: int, seed: int, most: int = 10**9) -> None:
        self._most = most
        self.ran: list[str] = []
        self.stopped: list[str] = []
        self.errors: list[BaseException] = []
        self._ecs = [clients.ecs(server.endpoint) for _ in range(threads)]
        self._threads = [
            threading.Thread(target=self._work, args=(ecs, random.Random(seed + n)), daemon=True)
            for n, ecs in enumerate(self._ecs)
        ]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Waits until every thread has met the kill."""
        for thread in self._threads:
            thread.join(60)
        assert self.errors == []

    def _work(self, ecs: Any, choice: random.Random) -> None:
        mine: list[str] = []
        try:
            while True:
                if mine and (choice.random() < 0.4 or len(mine) >= self._most):
                    arn = mine.pop()
                    ecs.stop_task(task=arn)
                    self.stopped.append(arn)
                else:
                    answer = ecs.run_task(taskDefinition="app", count=choice.randint(1, 3))
                    arns = [task["taskArn"] for task in answer["tasks"]]
                    self.ran += arns
                    mine += arns
        except ACROSS_KILLS:
            return
        except BaseException as e:  # noqa: BLE001 - raised again in the test's thread
            self.errors.append(e)


@pytest.mark.parametrize("number", range(3))
def test_nothing_acknowledged_is_missing_after_a_kill_under_load(
    start_server: Any, number: int
) -> None:
    seed = random.randrange(2**32)
    print(f"round {number}, seed {seed}")
    options = ["--builtin-memory", "10000000"]
    server: Server = start_server(engine_kind="simulated", options=options)
    register(server.ecs)
    load = Load(server, 4, seed)
    enough = 20 + seed % 200
    wait_until(lambda: len(load.ran) > enough, 30, "some load", interval=0.001)
    server.kill9()
    load.wait()
    server.start()
    known = set(listed(server.ecs)) | set(listed(server.ecs, desiredStatus="STOPPED"))
    assert set(load.ran) <= known
    assert set(load.stopped) <= set(listed(server.ecs, desiredStatus="STOPPED"))
    print(f"{len(load.ran)} run, {len(load.stopped)} stopped")


def test_real_containers_after_kills_at_random_moments(server: Server) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    choice = random.Random(seed)
    register(server.ecs, "app", forever(memory=8))
    ran: list[str] = []
    stopped: list[str] = []
    for _ in range(3):
        load = Load(server, 2, choice.randrange(2**32), most=3)
        moment = choice.randrange(4, 9)
        wait_until(lambda load=load, moment=moment: len(load.ran) >= moment, 60, "some load")
        server.kill9()
        load.wait()
        server.start()
        ran += load.ran
        stopped += load.stopped
    known = set(listed(server.ecs)) | set(listed(server.ecs, desiredStatus="STOPPED"))
    assert set(ran) <= known
    assert set(stopped) <= set(listed(server.ecs, desiredStatus="STOPPED"))
    assert_everybody_agrees(server)
    for arn in sorted(known):
        assert len(of_task(arn)) <= 1
        server.ecs.stop_task(task=arn)
    for arn in sorted(known):
        wait_status(server.ecs, arn, "STOPPED", 60)
    assert {c["Config"]["Labels"][TASK_LABEL] for c in server.containers()} <= known
    assert running_containers(server) == {}
