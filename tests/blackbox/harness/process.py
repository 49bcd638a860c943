"""`longshore` as a command of its own: for what `Server` does not start, e.g. other arguments."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import engine
from .paths import longshore_binary


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment without any configuration of the machine."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "DOCKER_HOST": engine.host(),
        "RUST_BACKTRACE": "1",
        **more,
    }


def run(
    home: Path, *arguments: str | Path, deadline: float = 60.0, **env: str
) -> subprocess.CompletedProcess[str]:
    """Runs `longshore ARGUMENTS` to its end."""
    return subprocess.run(
        [longshore_binary(), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=deadline,
        env=environment(home, **env),
        cwd=home,
        check=False,
    )


@contextmanager
def serving(
    home: Path, arguments: Sequence[str | Path] = (), **env: str
) -> Iterator[tuple[str, int]]:
    """Runs `longshore serve ARGUMENTS`; yields the URL it prints and its pid, and ends it."""
    with open(home / "serve.log", "ab") as log:
        process = subprocess.Popen(
            [longshore_binary(), "serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(home, **env),
            cwd=home,
        )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.terminate()
        code = process.wait(30)
    log_text = (home / "serve.log").read_text()
    assert code == 0, log_text
    assert "panicked" not in log_text
