"""Requests written by hand: for what no client library would send."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TARGET_PREFIX = "AmazonEC2ContainerServiceV20141113"
CONTENT_TYPE = "application/x-amz-json-1.1"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


def post(
    endpoint: str,
    operation: str,
    body: Any = None,
    *,
    headers: dict[str, str | None] | None = None,
    path: str = "/",
    chunked: bool = False,
    deadline: float = 60.0,
) -> Answer:
    """Sends one unsigned request to an ECS operation.

    A `bytes` body goes out as it is, any other as JSON (None as `{}`). `headers` are added to
    the target and the content type; a value None leaves a header out.
    """
    payload = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    sent: dict[str, str | None] = {
        "X-Amz-Target": f"{TARGET_PREFIX}.{operation}",
        "Content-Type": CONTENT_TYPE,
        **(headers or {}),
    }
    return request(endpoint, "POST", path, payload, sent, chunked=chunked, deadline=deadline)


def request(
    endpoint: str,
    method: str,
    path: str,
    payload: bytes = b"",
    headers: dict[str, str | None] | None = None,
    *,
    chunked: bool = False,
    deadline: float = 60.0,
) -> Answer:
    """Sends any HTTP request on a connection of its own."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=deadline)
    sent = {k: v for k, v in (headers or {}).items() if v is not None}
    try:
        if chunked:
            connection.request(method, path, iter([payload]), sent, encode_chunked=True)
        else:
            connection.request(method, path, payload, sent)
        response = connection.getresponse()
        body = response.read()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body)
    finally:
        connection.close()
