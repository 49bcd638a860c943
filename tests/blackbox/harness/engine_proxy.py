"""A proxy in front of the engine's socket: counts, records, delays, refuses, and calls hooks.

It passes every byte on unchanged and only reads enough to know where requests and answers end:
keep-alive, chunked bodies, endless event streams and hijacked connections included. Each
connection has one to the engine and a thread of its own.
"""

import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType

from . import engine
from .http_stream import Discard, Head, Sink, Stream, is_gone, splice


class Point(Enum):
    """Where in a call's life a hook runs."""

    BEFORE = "the engine has not seen the request"
    DONE = "the engine has done it, the caller does not know"
    ANSWERED = "the caller has the whole answer"


class DropConnection(Exception):
    """Raised by a hook: closes both connections, so that what would follow never happens."""


@dataclass
class Call:
    """One request. `status` is None until the engine has answered."""

    number: int
    method: str
    path: str
    caller: socket.socket = field(repr=False)
    status: int | None = None

    @property
    def changes(self) -> bool:
        """Whether it can change anything on the engine."""
        return self.method not in ("GET", "HEAD")

    def caller_is_gone(self) -> bool:
        """Whether the caller has closed its connection, e.g. by dying."""
        return is_gone(self.caller)


Matches = Callable[[Call], bool]
Action = Callable[[Call], None]


def anything(_: Call) -> bool:
    """Matches every call."""
    return True


def changes(call: Call) -> bool:
    """Matches the calls that can change something."""
    return call.changes


def path_contains(*parts: str, method: str | None = None) -> Matches:
    """Matches calls whose path holds all the parts, with that method if one is given."""
    return lambda call: all(p in call.path for p in parts) and method in (None, call.method)


@dataclass
class Rule:
    """Something that happens to matching calls until `remove`. Made by EngineProxy."""

    matches: Matches
    point: Point
    action: Action
    nth: int | None = None
    seen: int = 0
    _removed: threading.Event = field(default_factory=threading.Event)

    @property
    def fired(self) -> bool:
        """Whether a call has matched (for `nth`: as often as was asked for)."""
        return self.seen >= (self.nth or 1)

    def remove(self) -> None:
        """Ends the rule; calls that it blocks go on."""
        self._removed.set()

    @property
    def removed(self) -> bool:
        """Whether the rule has ended."""
        return self._removed.is_set()

    def wait_removed(self, seconds: float) -> bool:
        """Waits so long for the end of the rule, and tells whether it has ended."""
        return self._removed.wait(seconds)


class EngineProxy:
    """The proxy; a context manager. `docker_host` is what a server gets as DOCKER_HOST."""

    def __init__(self, upstream: str | None = None) -> None:
        self._upstream = upstream or engine.socket_path()
        # A unix socket's path must be short, so not in pytest's folders.
        self._folder = tempfile.mkdtemp(prefix="longshore-proxy-")
        self.socket_path = os.path.join(self._folder, "engine.sock")
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._rules: list[Rule] = []
        self._errors: list[BaseException] = []
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.socket_path)
        self._listener.listen(64)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def docker_host(self) -> str:
        """The proxy's address, as DOCKER_HOST writes it."""
        return f"unix://{self.socket_path}"

    def calls(self, matches: Matches = anything) -> list[Call]:
        """The calls so far that match, in the order in which they came."""
        with self._lock:
            return [c for c in self._calls if matches(c)]

    def count(self, matches: Matches = anything) -> int:
        """How many calls so far match."""
        return len(self.calls(matches))

    @property
    def open_connections(self) -> int:
        """How many callers are connected to the engine right now."""
        return sum(thread.is_alive() for thread in self._threads)

    def at(self, point: Point, action: Action, matches: Matches = anything) -> Rule:
        """Runs the action in every matching call, in the thread of its connection."""
        return self._add(Rule(matches, point, action))

    def at_nth(self, nth: int, point: Point, action: Action, matches: Matches = anything) -> Rule:
        """Runs the action once, in the n-th matching call from now on (from 1).

        `proxy.at_nth(n, Point.BEFORE, kill_server, changes)` for n = 1, 2, ... until a run
        ends with `not rule.fired` kills between every two calls.
        """
        return self._add(Rule(matches, point, action, nth))

    def block(self, matches: Matches = anything, point: Point = Point.BEFORE) -> Rule:
        """Holds matching calls until the rule ends or the caller gives up: a wedged engine."""

        def hold(call: Call) -> None:
            while not rule.wait_removed(0.05):
                if self._closed.is_set() or call.caller_is_gone():
                    raise DropConnection

        rule = Rule(matches, point, hold)
        return self._add(rule)

    def refuse(
        self, matches: Matches, status: int = 500, message: str = "refused by a test"
    ) -> Rule:
        """Answers matching calls itself with an error of the engine's form."""

        def answer(_: Call) -> None:
            raise _Answer(status, message)

        return self._add(Rule(matches, Point.BEFORE, answer))

    def close(self) -> None:
        """Closes all connections; raises the first unexpected error of a thread or a hook.

        Nothing happens the second time.
        """
        if self._closed.is_set():
            return
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(10)
        for thread in self._threads:
            thread.join(10)
        shutil.rmtree(self._folder, ignore_errors=True)
        alive = [t for t in self._threads if t.is_alive()]
        if alive:
            raise RuntimeError(f"{len(alive)} connections of the engine proxy did not end")
        if self._errors:
            raise self._errors[0]

    def __enter__(self) -> "EngineProxy":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._connection, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _connection(self, client: socket.socket) -> None:
        upstream = socket.socket(socket.AF_UNIX)
        try:
            upstream.connect(self._upstream)
            down = Stream(client, self._closed.is_set)
            up = Stream(upstream, self._closed.is_set)
            while self._exchange(down, up):
                pass
        except (OSError, DropConnection):
            pass
        except BaseException as e:  # noqa: BLE001 - close() raises it in the test's thread
            self._errors.append(e)
        finally:
            client.close()
            upstream.close()

    def _exchange(self, down: Stream, up: Stream) -> bool:
        """One request and its answer; tells whether the connection goes on."""
        request = down.read_head(up.sock)
        call = self._record(request, down.sock)
        try:
            self._run(Point.BEFORE, call)
        except _Answer as answer:
            call.status = answer.status
            self._relay_body(request, down, Discard())
            down.sock.sendall(answer.raw)
            return True
        up.sock.sendall(request.raw)
        self._relay_body(request, down, up.sock)
        response = up.read_head(down.sock)
        call.status = int(response.start[1])
        self._run(Point.DONE, call)
        down.sock.sendall(response.raw)
        goes_on = self._relay_answer(request, response, call, down, up)
        self._run(Point.ANSWERED, call)
        return goes_on and not request.closes and not response.closes

    @staticmethod
    def _relay_body(request: Head, down: Stream, to: Sink) -> None:
        if request.chunked:
            down.relay_chunks(to, None)
        else:
            down.relay_length(request.length or 0, to, None)

    def _relay_answer(
        self, request: Head, response: Head, call: Call, down: Stream, up: Stream
    ) -> bool:
        if call.status == 101:
            splice(down, up, self._closed.is_set)
            return False
        if call.method == "HEAD" or call.status in (204, 304):
            return True
        if response.chunked:
            up.relay_chunks(down.sock, down.sock)
            return True
        if response.length is not None:
            up.relay_length(response.length, down.sock, down.sock)
            return True
        # Without a length the answer ends with the connection; a hijacked one goes both ways.
        if request.upgrades or call.method == "POST":
            splice(down, up, self._closed.is_set)
        else:
            up.relay_to_end(down.sock, down.sock)
        return False

    def _record(self, request: Head, caller: socket.socket) -> Call:
        with self._lock:
            call = Call(len(self._calls) + 1, request.start[0], request.start[1], caller)
            self._calls.append(call)
        return call

    def _run(self, point: Point, call: Call) -> None:
        due = self._due(point, call)
        for rule in due:
            rule.action(call)
        # A hook that killed the caller: nothing may happen on the engine after its death.
        if due and call.caller_is_gone():
            raise DropConnection

    def _due(self, point: Point, call: Call) -> list[Rule]:
        due = []
        with self._lock:
            for rule in self._rules:
                if rule.removed or rule.point is not point or not rule.matches(call):
                    continue
                rule.seen += 1
                if rule.nth is None or rule.seen == rule.nth:
                    due.append(rule)
        return due


class _Answer(Exception):
    """An answer that the proxy gives by itself."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        body = json.dumps({"message": message}).encode()
        head = f"HTTP/1.1 {status} Refused\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        self.raw = head.encode() + body
