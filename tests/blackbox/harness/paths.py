"""Where the repository's files and the programs under test are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TEST_TOOLS = ROOT / "target" / "test-tools"


def longshore_binary() -> Path:
    """The release binary; `LONGSHORE_BINARY` names another one.

    It must have been built: a test never runs on a missing or silently older binary of its own.
    """
    path = Path(os.environ.get("LONGSHORE_BINARY") or ROOT / "target" / "release" / "longshore")
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: cargo build --release --bin longshore")
    return path


def test_tool(name: str) -> Path:
    """One of the programs that scripts/install-test-tools.sh unpacks."""
    path = TEST_TOOLS / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: scripts/install-test-tools.sh")
    return path
