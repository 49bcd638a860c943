"""ListTasks' promise: a task that matches all along is in a traversal exactly once.

Whatever is started and stopped meanwhile, and also when the server is killed in between.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import clients
from harness.ecs_calls import (
    NEVER_PULLED,
    container,
    describe,
    register,
    run,
    simulated,
    stop_and_wait,
    wait_status,
)
from harness.server import Server

ROOMY = ["--builtin-memory", "1000000", "--builtin-cpu", "1000000"]
SECONDS = 6.0
# Stopped tasks stay listed: without an end, they could come faster than one a page is read.
MOST_STARTED = 1500


@pytest.fixture
def roomy(start_server: Any) -> Server:
    """A server without containers that can hold thousands of tasks."""
    server = start_server(engine_kind="simulated", options=ROOMY)
    # A task that is still pulling lives on when the server and the containers do not.
    register(server.ecs, "stays", container(image=NEVER_PULLED))
    register(server.ecs, "passes")
    register(server.ecs, "exits", container(dockerLabels=simulated(run_ms=20)))
    return server


class Churn:
    """Starts and stops tasks in threads of its own until told to end."""

    def __init__(self, server: Server, threads: int, seed: int) -> None:
        self._end = threading.Event()
        self.started = Counter[str]()
        self.errors: list[BaseException] = []
        self._endpoint = server.endpoint
        self._threads = [
            threading.Thread(target=self._run, args=(seed + n,), daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Ends the threads; the first unexpected error of one is raised here."""
        self._end.set()
        for thread in self._threads:
            thread.join(60)
        if self.errors:
            raise self.errors[0]

    def _run(self, seed: int) -> None:
        choice = random.Random(seed)
        ecs = clients.ecs(self._endpoint)
        mine: list[str] = []
        while not self._end.is_set() and self.started["run"] < MOST_STARTED:
            try:
                self._step(ecs, choice, mine)
            except BotoCoreError:
                time.sleep(0.02)  # The server is down: it has just been killed.
            except ClientError as e:
                if e.response["Error"]["Code"] != "ThrottlingException":
                    self.errors.append(e)
                    return

    def _step(self, ecs: Any, choice: random.Random, mine: list[str]) -> None:
        if len(mine) > 20 or (mine and choice.random() < 0.5):
            ecs.stop_task(task=mine.pop(choice.randrange(len(mine))))
            self.started["stopped"] += 1
            return
        family = choice.choice(["passes", "exits"])
        members = {"startedBy": choice.choice(["me", "you"])} if choice.random() < 0.8 else {}
        tasks = ecs.run_task(taskDefinition=family, count=choice.randint(1, 5), **members)["tasks"]
        self.started["run"] += len(tasks)
        if family == "passes":
            mine += [t["taskArn"] for t in tasks]


@contextmanager
def churn(server: Server, threads: int = 3) -> Iterator[Churn]:
    """Churn for the time of a `with` block."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    going = Churn(server, threads, seed)
    try:
        yield going
    finally:
        going.end()


def interleave(server: Server, definition: str, count: int, **members: Any) -> list[str]:
    """Long-lived tasks among others that come before, between and after them."""
    arns: list[str] = []
    for n in range(count):
        if n % 3 == 0:
            run(server.ecs, "passes", 2, **members)
        arns += run(server.ecs, definition, **members)
    return arns


def traverse(
    list_tasks: Callable[..., Any], size: int, between: Callable[[], None], **filters: Any
) -> list[str]:
    """One traversal, with something done between its pages."""
    answer = list_tasks(maxResults=size, **filters)
    found: list[str] = answer["taskArns"]
    while "nextToken" in answer:
        between()
        answer = list_tasks(maxResults=size, nextToken=answer["nextToken"], **filters)
        assert len(answer["taskArns"]) <= size
        found += answer["taskArns"]
    return found


def check(found: list[str], lasting: list[str]) -> None:
    """Each lasting task exactly once and in order, and nothing twice."""
    assert [arn for arn in found if arn in set(lasting)] == lasting
    doubled = {arn: n for arn, n in Counter(found).items() if n > 1}
    assert doubled == {}


FILTERS: list[dict[str, str]] = [
    {},
    {"startedBy": "me"},
    {"launchType": "EC2"},
    {"desiredStatus": "RUNNING"},
]


def test_traversals_among_run_task_and_stop_task(roomy: Server) -> None:
    lasting = interleave(roomy, "stays", 40, startedBy="me")
    end = time.monotonic() + SECONDS
    traversals = 0
    with churn(roomy) as others:
        while time.monotonic() < end or traversals < 8:
            filters = FILTERS[traversals % len(FILTERS)]
            size = (1, 3, 7, 20, 100)[traversals % 5]
            check(traverse(roomy.ecs.list_tasks, size, lambda: None, **filters), lasting)
            traversals += 1
    print(f"{traversals} traversals, {dict(others.started)} tasks")
    assert min(others.started["run"], others.started["stopped"]) > 20
    assert traverse(roomy.ecs.list_tasks, 100, lambda: None, family="stays") == lasting


def test_traversals_of_stopped_tasks_while_others_stop(roomy: Server) -> None:
    lasting = interleave(roomy, "passes", 30)
    for arn in lasting:
        roomy.ecs.stop_task(task=arn)
    for arn in lasting:
        wait_status(roomy.ecs, arn, "STOPPED")
    end = time.monotonic() + SECONDS / 2
    with churn(roomy):
        while time.monotonic() < end:
            for size in (1, 4, 100):
                found = traverse(
                    roomy.ecs.list_tasks, size, lambda: None, desiredStatus="STOPPED"
                )
                check(found, lasting)


def test_several_threads_traverse_at_once(roomy: Server) -> None:
    lasting = interleave(roomy, "stays", 30)
    errors: list[BaseException] = []

    def traverse_often(size: int) -> None:
        ecs = clients.ecs(roomy.endpoint)
        try:
            for _ in range(5):
                check(traverse(ecs.list_tasks, size, lambda: None), lasting)
        except BaseException as e:  # noqa: BLE001 - raised again in the test's thread
            errors.append(e)

    with churn(roomy, 2):
        threads = [threading.Thread(target=traverse_often, args=(n,)) for n in (2, 5, 11)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert errors == []


@pytest.mark.parametrize("status", ["RUNNING", "STOPPED"])
def test_a_traversal_goes_on_across_kills(roomy: Server, status: str) -> None:
    lasting = interleave(roomy, "stays", 18)
    if status == "STOPPED":
        for arn in lasting:
            stop_and_wait(roomy.ecs, arn)
    pages = 0

    def kill_and_start() -> None:
        nonlocal pages
        pages += 1
        if pages in (1, 3, 4):
            roomy.kill9()
            roomy.start()

    with churn(roomy, 2):
        found = traverse(
            lambda **request: roomy.ecs.list_tasks(**request), 3, kill_and_start,
            desiredStatus=status,
        )  # fmt: skip
    assert pages >= 4
    check(found, lasting)


def test_a_traversal_over_real_containers_across_a_kill(server: Server, busybox: str) -> None:
    command = ["sleep", "600"]
    register(server.ecs, "real", container(image=busybox, command=command, stopTimeout=2))
    arns = run(server.ecs, "real", 6)
    for arn in arns:
        wait_status(server.ecs, arn, "RUNNING", 60)

    def kill_and_start() -> None:
        server.kill9()
        server.start()

    check(traverse(lambda **request: server.ecs.list_tasks(**request), 4, kill_and_start), arns)
    assert {describe(server.ecs, arn)["lastStatus"] for arn in arns} == {"RUNNING"}
