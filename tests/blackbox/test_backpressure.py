"""The disk falls behind: callers are told to come back, reads go on, every answer is true.

Another program's lock on the store's file stands for a slow disk: commits wait for it.
"""

import asyncio
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import clients
from harness.ecs_calls import refused, register
from harness.server import Server
from harness.wait import wait_until
from harness.wire import CONTENT_TYPE, TARGET_PREFIX

THROTTLED = ("ThrottlingException", "Rate exceeded")
# What unanswered callers may have sent, in bytes, by docs/design/store.md.
MOST_WAITING = 64 << 20
DEFINITION_BYTES = 55_000
CALLERS = MOST_WAITING // DEFINITION_BYTES + 200


@contextmanager
def lock_on(server: Server) -> Iterator[None]:
    """Nobody else writes the store's file meanwhile."""
    path = server.data_dir / "longshore.db"
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def registration(server: Server, family: str) -> bytes:
    """A whole request that registers a large definition."""
    environment = [{"name": "LARGE", "value": "x" * DEFINITION_BYTES}]
    container = {"name": "main", "image": "app", "memory": 16, "environment": environment}
    body = json.dumps({"family": family, "containerDefinitions": [container]}).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: {CONTENT_TYPE}\r\n"
        f"X-Amz-Target: {TARGET_PREFIX}.RegisterTaskDefinition\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Crowd(threading.Thread):
    """Many callers at once, each on a connection of its own; `told` grows with the answers."""

    def __init__(self, server: Server) -> None:
        super().__init__(name="crowd")
        self.server = server
        self.families = [f"crowd-{number}" for number in range(CALLERS)]
        self.told: dict[str, tuple[str, str]] = {}

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._one(family) for family in self.families))

    async def _one(self, family: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        writer.write(registration(self.server, family))
        await writer.drain()
        answer = await reader.read()
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 200 "):
            self.told[family] = ("", "")
        else:
            error = json.loads(body)
            self.told[family] = (error["__type"].rpartition("#")[2], error.get("message", ""))

    def kinds(self) -> Counter[str]:
        """How many were told what."""
        return Counter(kind for kind, _ in self.told.values())


def families(ecs: Any) -> set[str]:
    """Every family there is."""
    pages = ecs.get_paginator("list_task_definition_families").paginate()
    return {family for page in pages for family in page["families"]}


def test_callers_are_throttled_reads_go_on_and_what_is_acknowledged_is_there(
    simulated_server: Server,
) -> None:
    server = simulated_server
    crowd = Crowd(server)
    # As every AWS client does, this one tries again by itself.
    patient = clients.ecs(server.endpoint, retries={"total_max_attempts": 10, "mode": "standard"})
    patience = threading.Thread(target=register, args=(patient, "patient"))
    with lock_on(server):
        crowd.start()
        wait_until(lambda: crowd.kinds()["ThrottlingException"] >= 100, 60, "refused callers")
        large = {"name": "LARGE", "value": "x" * DEFINITION_BYTES}
        container = {"name": "main", "image": "app", "memory": 16, "environment": [large]}
        arguments = {"family": "late", "containerDefinitions": [container]}
        assert refused(server.ecs.register_task_definition, **arguments) == THROTTLED
        patience.start()
        for _ in range(20):
            assert server.ecs.list_tasks()["taskArns"] == []
        assert families(server.ecs) == set(), "nothing is visible that is not durable"
    crowd.join(timeout=120)
    patience.join(timeout=120)
    assert not crowd.is_alive() and not patience.is_alive()
    assert set(crowd.kinds()) <= {"", "ThrottlingException", "ServerException"}, crowd.kinds()
    assert {text for kind, text in crowd.told.values() if kind == THROTTLED[0]} == {THROTTLED[1]}
    acknowledged = {family for family, (kind, _) in crowd.told.items() if not kind}
    assert families(server.ecs) == acknowledged | {"patient"}
    server.kill9()
    server.start()
    assert families(server.ecs) == acknowledged | {"patient"}


def test_a_disk_that_stands_still_for_too_long_is_a_server_exception_and_nothing_is_there(
    simulated_server: Server,
) -> None:
    server = simulated_server
    register(server.ecs, "before")
    with lock_on(server):
        refusal = refused(server.ecs.create_cluster, status=500, clusterName="c")
    assert refusal.code == "ServerException"
    assert "another program holds it locked" in server.log(), "the log says why"
    answer = server.ecs.describe_clusters(clusters=["c"])
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    assert register(server.ecs, "after")
    assert server.ecs.create_cluster(clusterName="c")["cluster"]["status"] == "ACTIVE"
    assert families(server.ecs) == {"before", "after"}
