"""kill -9 between every two engine calls of a task's life."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from harness.ecs_calls import describe, listed, register, wait_status
from harness.engine_proxy import Call, EngineProxy, Point, anything, changes
from harness.real_tasks import forever, of_task, shell
from harness.server import Server
from harness.wait import wait_until


class Scenario:
    """One task of two containers, from RunTask to STOPPED, going on after each kill."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.arn = ""

    def play(self) -> None:
        """All steps; what a kill interrupts is done again."""
        self._step(lambda: register(self.server.ecs, "pair", *PAIR))
        self.arn = self._step(self._run)
        self._step(lambda: wait_status(self.server.ecs, self.arn, "RUNNING", 60))
        self._step(self._side_has_ended)
        self._step(lambda: self.server.ecs.stop_task(task=self.arn))
        self._step(lambda: wait_status(self.server.ecs, self.arn, "STOPPED", 60))

    def _run(self) -> str:
        answer = self.server.ecs.run_task(taskDefinition="pair:1", clientToken="one-task")
        assert answer["failures"] == []
        return answer["tasks"][0]["taskArn"]

    def _side_has_ended(self) -> None:
        def ended() -> bool:
            side = containers_by_name(describe(self.server.ecs, self.arn))["side"]
            return side["lastStatus"] == "STOPPED"

        wait_until(ended, 60, "the end of side")

    def _step(self, action: Callable[[], Any]) -> Any:
        while True:
            try:
                return action()
            except BotoCoreError:
                wait_until(lambda: not self.server.is_running, 10, "the end of the server")
                self.server.start()


PAIR = [forever("main", on_term="exit 7"), shell("sleep 0.3; exit 5", "side", essential=False)]


def containers_by_name(task: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The containers of a described task."""
    return {container["name"]: container for container in task["containers"]}


def assert_the_pair_is_whole(server: Server, arn: str) -> None:
    """One task, its two containers once each, stopped, with their real exit codes."""
    assert listed(server.ecs) == []
    assert listed(server.ecs, desiredStatus="STOPPED") == [arn]
    shown = containers_by_name(describe(server.ecs, arn))
    assert {name: c.get("exitCode") for name, c in shown.items()} == {"main": 7, "side": 5}
    made = of_task(arn)
    assert set(made) == {"main", "side"}
    assert {name: c["State"]["ExitCode"] for name, c in made.items()} == {"main": 7, "side": 5}
    assert {name: c["Id"] for name, c in made.items()} == {
        name: c["runtimeId"] for name, c in shown.items()
    }
    assert len(server.containers()) == 2


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("point", "matches"), [(Point.BEFORE, anything), (Point.DONE, changes)],
    ids=["before-each-call", "after-each-change"],
)  # fmt: skip
def test_a_kill_between_every_two_engine_calls(
    start_server: Any, busybox: str, point: Point, matches: Callable[[Call], bool]
) -> None:
    for nth in itertools.count(1):
        with EngineProxy() as proxy:
            server: Server = start_server(start=False, docker_host=proxy.docker_host)
            rule = proxy.at_nth(nth, point, lambda _, server=server: server.kill9(), matches)
            start_whatever_happens(server)
            scenario = Scenario(server)
            scenario.play()
            assert_the_pair_is_whole(server, scenario.arn)
            called = proxy.count(matches)
            server.close()
        if not rule.fired:
            print(f"{nth - 1} kills, {called} calls in the last run")
            assert nth > 4
            return


def start_whatever_happens(server: Server) -> None:
    """Starts it, again if it is killed while it starts."""
    server.start(ready=False)
    try:
        server.wait_ready()
    except AssertionError:
        if server.is_running:
            raise
        server.start()
