"""Image registries on loopback: Debian's docker-registry, and one that accepts and says nothing.

A registry that is down needs no class: `ports.free_port()` names an address where nothing listens.
"""

import http.client
import socket
import subprocess
import threading
import uuid
from pathlib import Path

from . import engine
from .paths import test_tool
from .ports import free_port
from .wait import wait_until

_CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{root}"}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


class Registry:
    """A docker-registry of its own folder and port. Loopback needs no TLS."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._pulled: set[str] = set()

    @property
    def address(self) -> str:
        """`host:port`, the first part of its images' names."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> "Registry":
        """Starts it, or starts it again on the same port, and waits until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "config.yml"
        config.write_text(_CONFIG.format(root=self.folder / "images", port=self.port))
        with open(self.folder / "registry.log", "ab") as log:
            self._process = subprocess.Popen(
                [test_tool("docker-registry"), "serve", config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"OTEL_TRACES_EXPORTER": "none"},
            )
        wait_until(self._answers, 30, f"registry on {self.address}", tolerate=(OSError,))
        return self

    def stop(self) -> None:
        """Stops the process; its images stay for the next start."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def reference(self, name: str, tag: str = "1") -> str:
        """The full name of an image of this registry; it is forgotten locally by `close`."""
        reference = f"{self.address}/{name}:{tag}"
        self._pulled.add(reference)
        return reference

    def push(self, image: str, name: str, tag: str = "1") -> str:
        """Pushes a copy of a local image under this name and forgets it locally.

        Returns the full name; who runs it must pull it. It is a copy with an id of its own,
        since the engine notes a pushed image's digests on every name of the same id.
        """
        reference = self.reference(name, tag)
        source = engine.docker("create", image)
        try:
            label = f"LABEL longshore-test.copy={uuid.uuid4().hex}"
            engine.docker("commit", "--change", label, source, reference)
        finally:
            engine.docker("rm", source)
        engine.docker("push", "--quiet", reference, deadline=120)
        self.forget(reference)
        return reference

    def forget(self, reference: str) -> None:
        """Removes an image name from the engine, so that the next use pulls it again."""
        try:
            engine.docker("image", "rm", "--force", reference)
        except engine.EngineError as e:
            if "No such image" not in str(e):
                raise

    def close(self) -> None:
        """Stops it and removes from the engine every name that came from it."""
        self.stop()
        for reference in sorted(self._pulled):
            self.forget(reference)

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            log = (self.folder / "registry.log").read_text(errors="replace")
            raise RuntimeError(f"docker-registry ended: {log[-2000:]}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/v2/")
            return connection.getresponse().status == 200
        finally:
            connection.close()


class HangingRegistry:
    """Accepts every connection and never answers, until closed."""

    def __init__(self) -> None:
        self.port = free_port()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._connections: list[socket.socket] = []
        self._closed = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """`host:port`, the first part of its images' names."""
        return f"127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections it has accepted so far."""
        return len(self._connections)

    def reference(self, name: str, tag: str = "1") -> str:
        """The full name of an image that no pull will ever bring."""
        return f"{self.address}/{name}:{tag}"

    def close(self) -> None:
        """Closes the listener and all connections."""
        self._closed = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
