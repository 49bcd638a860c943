"""boto3 clients of a server: no retries, no proxies, no configuration of the machine."""

import os
import threading
from typing import Any

import boto3.session
from botocore.config import Config

REGION = "us-east-1"
ACCESS_KEY = "AKIDLONGSHORETEST"
SECRET_KEY = "longshore-test-secret"

# One session for all clients: it loads the service models once. Making clients of it is not
# safe in several threads at once; using them is.
_session: boto3.session.Session | None = None
_session_lock = threading.Lock()


def forget_machine_configuration() -> None:
    """Keeps AWS settings of the machine (environment, files, instance role) out of this process."""
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.devnull
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def client(
    service: str,
    endpoint: str,
    *,
    region: str = REGION,
    access_key: str = ACCESS_KEY,
    secret_key: str = SECRET_KEY,
    session_token: str | None = None,
    **config: Any,
) -> Any:
    """A client of one service at `endpoint`; `config` goes into botocore's Config.

    A call is tried once, so that a test sees each answer, and fails after 60 seconds without
    one. `parameter_validation=False` sends what botocore would refuse to send.
    """
    settings: dict[str, Any] = {
        "retries": {"total_max_attempts": 1, "mode": "standard"},
        "connect_timeout": 10,
        "read_timeout": 60,
        "max_pool_connections": 32,
        "proxies": {},
    }
    with _session_lock:
        return _shared_session().client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=session_token,
            config=Config(**{**settings, **config}),
        )


def ecs(endpoint: str, **options: Any) -> Any:
    """An ECS client; the options are those of `client`."""
    return client("ecs", endpoint, **options)


def sts(endpoint: str, **options: Any) -> Any:
    """An STS client; the options are those of `client`."""
    return client("sts", endpoint, **options)


def _shared_session() -> boto3.session.Session:
    global _session
    if _session is None:
        _session = boto3.session.Session()
    return _session
