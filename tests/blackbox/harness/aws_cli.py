"""The AWS CLI of .venv on a server, with fake keys and no configuration of the machine."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import clients


class AwsCliError(RuntimeError):
    """The command failed; `stderr` and `code` say how."""

    def __init__(self, args: tuple[str, ...], code: int, stderr: str) -> None:
        super().__init__(f"aws {' '.join(args)}: exit code {code}: {stderr.strip()}")
        self.code = code
        self.stderr = stderr


def aws(endpoint: str, *args: str, deadline: float = 60.0, **env: str) -> Any:
    """Runs `aws ARGS` with its endpoint in the environment; returns the JSON it printed.

    None when it printed nothing. AwsCliError when it fails.
    """
    program = Path(sys.executable).parent / "aws"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": clients.REGION,
        "AWS_ACCESS_KEY_ID": clients.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": clients.SECRET_KEY,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
        **env,
    }
    done = subprocess.run(
        [program, "--output", "json", *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=deadline,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        raise AwsCliError(args, done.returncode, done.stderr)
    return json.loads(done.stdout) if done.stdout.strip() else None
