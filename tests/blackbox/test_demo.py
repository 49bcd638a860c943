"""`longshore demo`: shows three tasks and leaves nothing."""

import re
from pathlib import Path

from harness import engine, process
from harness.ecs_calls import TASK_ARN


def left_on_the_engine() -> set[str]:
    """Containers and networks that look like ours."""
    containers = engine.docker("ps", "-aq", "--no-trunc", "--filter", f"label={engine.NODE_LABEL}")
    networks = engine.docker("network", "ls", "-q", "--no-trunc", "--filter", "name=longshore-")
    return set(containers.split()) | set(networks.split())


def demo(tmp_path: Path, *arguments: str) -> str:
    """Runs the demonstration; its output."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = process.run(tmp_path, "demo", *arguments, deadline=120, TMPDIR=str(temporary))
    assert done.returncode == 0, done.stderr
    assert list(temporary.iterdir()) == []
    return done.stdout


def assert_shown(output: str) -> None:
    """Three tasks ran, and the reader knows how to go on."""
    assert len(set(TASK_ARN.findall(output))) == 3
    assert "RUNNING" in output
    assert "boto3" in output
    assert "aws ecs list-tasks" in output
    assert re.search(r"http://127\.0\.0\.1:\d+", output)


def test_the_demo_with_real_containers_leaves_nothing(tmp_path: Path, busybox: str) -> None:
    output = demo(tmp_path)
    assert_shown(output)
    assert not any("longshore-demo" in name for name in left_on_the_engine())


def test_the_demo_with_the_simulated_engine(tmp_path: Path) -> None:
    assert_shown(demo(tmp_path, "--engine", "simulated"))
