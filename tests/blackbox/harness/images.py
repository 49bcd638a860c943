"""The test image: Debian's static busybox as a root file system, imported into the engine.

An imported image has no repository digest, so nobody ever tries to pull it. Run as a program,
this module makes sure that the engine has it.
"""

import fcntl
import hashlib
import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import engine
from .paths import test_tool

BUSYBOX = "longshore-test/busybox:1"
_LABEL = "longshore-test.rootfs"
_FILES = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
    "etc/group": b"root:x:0:\nnobody:x:65534:\n",
}


def ensure_busybox() -> str:
    """Imports the test image unless the engine has this very content; returns its name."""
    rootfs = busybox_rootfs()
    digest = hashlib.sha256(rootfs).hexdigest()
    with _one_at_a_time():
        if _label_of(BUSYBOX) != digest:
            import_image(BUSYBOX, rootfs, {_LABEL: digest})
    return BUSYBOX


def import_image(name: str, rootfs: bytes, labels: dict[str, str] | None = None) -> None:
    """Imports a root file system, a tar, as an image whose command is a shell."""
    changes = ['CMD ["/bin/sh"]', "ENV PATH=/bin"]
    changes += [f"LABEL {key}={value}" for key, value in (labels or {}).items()]
    args = [a for change in changes for a in ("--change", change)]
    engine.docker("import", *args, "-", name, stdin=rootfs, deadline=120)


def busybox_rootfs() -> bytes:
    """The root file system as a tar: the same bytes every time."""
    busybox = test_tool("busybox")
    applets = subprocess.run(
        [busybox, "--list"], capture_output=True, timeout=30, check=True, text=True
    ).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for folder, mode in (
            ("bin", 0o755),
            ("dev", 0o755),
            ("etc", 0o755),
            ("proc", 0o755),
            ("root", 0o700),
            ("sys", 0o755),
            ("tmp", 0o1777),
        ):
            tar.addfile(_entry(folder, tarfile.DIRTYPE, mode))
        _add_file(tar, "bin/busybox", busybox.read_bytes(), 0o755)
        for applet in sorted(set(applets) - {"busybox"}):
            link = _entry(f"bin/{applet}", tarfile.SYMTYPE, 0o777)
            link.linkname = "busybox"
            tar.addfile(link)
        for name, content in _FILES.items():
            _add_file(tar, name, content, 0o644)
    return buffer.getvalue()


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = kind, mode, 0
    return info


def _add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    info = _entry(name, tarfile.REGTYPE, mode)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _label_of(image: str) -> str | None:
    template = '{{index .Config.Labels "' + _LABEL + '"}}'
    try:
        return engine.docker("image", "inspect", "--format", template, image)
    except engine.EngineError as e:
        if "No such image" in str(e):
            return None
        raise


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Keeps the workers of a run from importing the same image side by side."""
    path = Path(tempfile.gettempdir()) / f"longshore-test-images-{os.getuid()}.lock"
    with open(path, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    print(ensure_busybox())
