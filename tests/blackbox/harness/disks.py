"""Small disks that a test can fill, make read-only and break. Mounting them needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _command(*arguments: str | Path) -> None:
    done = subprocess.run(
        [*map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{arguments}: {done.stderr or done.stdout}"


class Disk:
    """A mounted file system of a few megabytes; `path` is where."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Takes every free block with one file of its own."""
        with open(self.path / "ballast", "ab", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while ballast.write(b"\x5a" * size):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Removes that file."""
        os.remove(self.path / "ballast")

    def remount(self, options: str) -> None:
        """Mounts it again with these options."""
        _command("mount", "-o", f"remount,{options}", self.path)

    def freeze(self, *files: Path) -> None:
        """Makes writes to these files fail, also of programs that have them open."""
        _command("chattr", "+i", *files)

    def thaw(self, *files: Path) -> None:
        """Takes `freeze` back."""
        _command("chattr", "-i", *files)


@contextmanager
def in_memory(path: Path, megabytes: int) -> Iterator[Disk]:
    """A tmpfs."""
    path.mkdir(parents=True)
    _command("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "longshore-test", path)
    try:
        yield Disk(path)
    finally:
        _command("umount", path)


@contextmanager
def in_a_file(path: Path, megabytes: int) -> Iterator[Disk]:
    """An ext4 in a file beside it, which outlives what is done to its mount."""
    image = path.with_suffix(".img")
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    _command("mkfs.ext4", "-q", "-F", image)
    path.mkdir(parents=True)
    with mounted(image, path) as disk:
        yield disk


@contextmanager
def mounted(image: Path, path: Path) -> Iterator[Disk]:
    """Mounts an image file."""
    _command("mount", "-o", "loop", image, path)
    try:
        yield Disk(path)
    finally:
        _command("umount", path)
