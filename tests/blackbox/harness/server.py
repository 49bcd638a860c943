"""One `longshore serve` process under test: started, stopped, killed, restarted, cleaned up."""

import http.client
import os
import re
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import clients, engine, wire
from .paths import longshore_binary
from .ports import free_port
from .wait import DeadlineExceeded, wait_until

_PANIC = re.compile(r"panicked at|thread '.*' has overflowed its stack|SIGSEGV")


class ServerFailed(AssertionError):
    """The server did something that no test allows; the message ends with its log."""


class Server:
    """A server with its own data directory and port, both kept across restarts.

    `options` are further arguments of `longshore serve`; `env` adds to an environment that
    holds nothing of the machine's configuration. `docker_host` is the engine's address, e.g. a
    proxy's. `command` replaces the release binary.
    """

    def __init__(
        self,
        folder: Path,
        *,
        engine_kind: str = "docker",
        options: Sequence[str] = (),
        env: dict[str, str] | None = None,
        docker_host: str | None = None,
        command: Sequence[str | Path] | None = None,
    ) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.log_path = folder / "server.log"
        self.port = free_port()
        self.engine_kind = engine_kind
        self.options = list(options)
        self.env = dict(env or {})
        self.docker_host = docker_host or engine.host()
        self.command = list(command or [longshore_binary(), "serve"])
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[str, Any] = {}
        # A hook may kill in its own thread while the test starts it again.
        self._lock = threading.RLock()

    @property
    def endpoint(self) -> str:
        """The URL of the API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id; ServerFailed when it was not started."""
        return self._started().pid

    @property
    def ecs(self) -> Any:
        """A boto3 ECS client of this server, made once; others by `clients.ecs(endpoint)`."""
        if "ecs" not in self._clients:
            self._clients["ecs"] = clients.ecs(self.endpoint)
        return self._clients["ecs"]

    @property
    def node_id(self) -> str:
        """The id of the built-in node, by which its containers are labelled."""
        return (self.data_dir / "node-id").read_text().strip()

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """Everything the server wrote so far, over all its starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def containers(self) -> list[dict[str, Any]]:
        """`docker inspect` of this server's containers, stopped ones too."""
        return engine.containers_of_node(self.node_id)

    def start(self, *, ready: bool = True, deadline: float = 30.0) -> "Server":
        """Starts the process on the same data directory and port; waits for /readyz if `ready`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        arguments = ["--listen", f"127.0.0.1:{self.port}", "--data-dir", str(self.data_dir)]
        arguments += ["--engine", self.engine_kind, *self.options]
        with self._lock, open(self.log_path, "ab") as log:
            if self.is_running:
                raise RuntimeError("the server runs already")
            self._process = subprocess.Popen(
                [*map(str, self.command), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environment(),
            )
        if ready:
            self.wait_ready(deadline)
        return self

    def wait_ready(self, deadline: float = 30.0) -> None:
        """Waits until /readyz answers 200; ServerFailed when the process ends before."""
        try:
            wait_until(
                self._ready, deadline, "/readyz", tolerate=(OSError, http.client.HTTPException)
            )
        except DeadlineExceeded as e:
            raise self.failed(str(e)) from e

    def stop(self, deadline: float = 30.0) -> None:
        """SIGTERM; ServerFailed when it does not end in time with exit code 0."""
        process = self._started()
        process.send_signal(signal.SIGTERM)
        code = self._wait(process, deadline)
        self._process = None
        if code is None:
            process.kill()
            process.wait(10)
            raise self.failed(f"no end within {deadline:g} s of SIGTERM")
        if code != 0:
            raise self.failed(f"exit code {code} after SIGTERM")

    def kill9(self) -> None:
        """SIGKILL, and waits until the process is gone. Safe to call again, from any thread."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                process.kill()
                process.wait(10)

    def restart(self, *, ready: bool = True) -> "Server":
        """Stops it with SIGTERM if it runs, and starts it on the same data."""
        if self.is_running:
            self.stop()
        return self.start(ready=ready)

    def wait_exit(self, deadline: float = 30.0) -> int:
        """Waits for an end that the test expects, and returns the exit code."""
        process = self._started()
        code = self._wait(process, deadline)
        if code is None:
            raise self.failed(f"no end within {deadline:g} s")
        self._process = None
        return code

    def close(self) -> None:
        """Ends it and removes its containers and networks.

        ServerFailed, after cleaning up, when it had ended by itself, does not stop, or panicked.
        """
        problem: AssertionError | None = None
        if self._process is not None:
            code = self._process.poll()
            if code is not None:
                self._process = None
                problem = self.failed(f"it ended by itself with exit code {code}")
            else:
                try:
                    self.stop()
                except ServerFailed as e:
                    problem = e
        if self.engine_kind != "simulated" and (self.data_dir / "node-id").exists():
            engine.remove_node(self.node_id)
        if problem:
            raise problem
        if _PANIC.search(self.log()):
            raise self.failed("it panicked")

    def failed(self, problem: str) -> ServerFailed:
        """An error with the problem and the end of the log."""
        return ServerFailed(f"longshore on port {self.port}: {problem}\n{self.log_tail()}")

    def log_tail(self, lines: int = 60) -> str:
        """The last lines of the log."""
        return "\n".join(self.log().splitlines()[-lines:])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise self.failed("it does not run")
        return self._process

    def _ready(self) -> bool:
        process = self._started()
        if process.poll() is not None:
            self._process = None
            raise self.failed(f"it ended with exit code {process.returncode} before it was ready")
        return wire.request(self.endpoint, "GET", "/readyz", deadline=5).status == 200

    @staticmethod
    def _wait(process: subprocess.Popen[bytes], deadline: float) -> int | None:
        try:
            return process.wait(deadline)
        except subprocess.TimeoutExpired:
            return None

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
            "RUST_BACKTRACE": "1",
            "DOCKER_HOST": self.docker_host,
            **self.env,
        }
