"""AWS JSON 1.1 as Amazon speaks it: headers, bodies, framing, errors before the operation."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest

from harness import wire
from harness.paths import ROOT
from harness.server import Server

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LIMIT = 1024 * 1024


@pytest.fixture
def endpoint(simulated_server: Server) -> str:
    """The URL of a server without containers."""
    return simulated_server.endpoint


def error_type(answer: wire.Answer) -> tuple[int, str]:
    """Status and `__type`."""
    return answer.status, answer.json["__type"]


# Answers.


def test_the_headers_of_a_success(endpoint: str) -> None:
    answer = wire.post(endpoint, "ListTasks")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert UUID.fullmatch(answer.headers["x-amzn-requestid"])
    assert "date" in answer.headers


def test_the_headers_of_an_error(endpoint: str) -> None:
    answer = wire.post(endpoint, "ListTasks", {"cluster": "nobody"})
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert UUID.fullmatch(answer.headers["x-amzn-requestid"])
    assert answer.json == {"__type": "ClusterNotFoundException", "message": "Cluster not found."}


def test_every_answer_has_a_request_id_of_its_own(endpoint: str) -> None:
    found = {wire.post(endpoint, "ListTasks").headers["x-amzn-requestid"] for _ in range(20)}
    assert len(found) == 20


def test_the_request_id_is_spelled_as_amazon_spells_it(endpoint: str) -> None:
    raw = exchange(endpoint, request_bytes(b"{}"))
    assert b"\r\nx-amzn-RequestId: " in raw
    assert b"\r\nContent-Type: application/x-amz-json-1.1\r\n" in raw


# Bodies and content types.


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-amz-json-1.1",
        "application/x-amz-json-1.1; charset=utf-8",
        "application/x-amz-json-1.1;charset=UTF-8",
        "application/json",
        None,
    ],
)
def test_content_types_with_and_without_charset(endpoint: str, content_type: str | None) -> None:
    answer = wire.post(endpoint, "ListTasks", headers={"Content-Type": content_type})
    assert (answer.status, answer.json) == (200, {"taskArns": []})


def test_an_empty_body_is_an_empty_object(endpoint: str) -> None:
    for operation in ("ListTasks", "ListClusters", "DescribeClusters"):
        assert wire.post(endpoint, operation, b"").status == 200


def test_a_chunked_body_is_read(endpoint: str) -> None:
    answer = wire.post(endpoint, "ListTasks", {"cluster": "nobody"}, chunked=True)
    assert error_type(answer) == (400, "ClusterNotFoundException")


def test_a_body_in_pieces_is_read(endpoint: str) -> None:
    body = b'{"cluster": "nobody"}'
    whole = request_bytes(body)
    raw = exchange(endpoint, *(whole[n : n + 7] for n in range(0, len(whole), 7)))
    assert b"Cluster not found." in raw


def test_expect_100_continue_is_answered(endpoint: str) -> None:
    head, _, body = request_bytes(b'{"cluster": "nobody"}', "Expect: 100-continue").partition(
        b"\r\n\r\n"
    )
    with connected(endpoint) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert b"Cluster not found." in read_all(connection)


def test_unicode_goes_through(endpoint: str) -> None:
    tags = [{"key": "größe", "value": "大きい"}]
    answer = wire.post(endpoint, "CreateCluster", {"clusterName": "blue", "tags": tags})
    assert answer.json["cluster"]["tags"] == tags


@pytest.mark.parametrize(
    "body",
    [b"{", b"nonsense", b'{"cluster": }', b"[]", b'"text"', b"1", b"{}{}", b"\xff\xfe", b"null"],
)
def test_broken_json_is_a_serialization_exception(endpoint: str, body: bytes) -> None:
    for operation in ("ListTasks", "RunTask", "CreateCluster"):
        answer = wire.post(endpoint, operation, body)
        assert error_type(answer) == (400, "SerializationException"), (operation, answer.body)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("RunTask", {"taskDefinition": 5}),
        ("RunTask", {"taskDefinition": "app", "count": "1"}),
        ("RunTask", {"taskDefinition": "app", "tags": {}}),
        ("RunTask", {"taskDefinition": "app", "overrides": []}),
        ("RegisterTaskDefinition", {"family": "x", "containerDefinitions": [5]}),
        ("DescribeTasks", {"tasks": "one"}),
        ("CreateCluster", {"clusterName": False}),
    ],
)
def test_a_wrong_json_type_is_a_serialization_exception(
    endpoint: str, operation: str, body: Any
) -> None:
    answer = wire.post(endpoint, operation, body)
    assert error_type(answer) == (400, "SerializationException")


def test_deeply_nested_json_is_refused_and_the_server_lives(endpoint: str) -> None:
    deep = b"[" * 100_000
    answer = wire.post(endpoint, "ListTasks", b'{"x": ' + deep)
    assert error_type(answer) == (400, "SerializationException")
    assert wire.post(endpoint, "ListTasks").status == 200


def test_a_body_over_one_mebibyte_is_refused(endpoint: str) -> None:
    padding = LIMIT - len('{"x":""}')
    assert wire.post(endpoint, "ListTasks", b'{"x":"' + b"a" * padding + b'"}').status == 200
    for chunked in (False, True):
        body = b'{"x":"' + b"a" * (padding + 1) + b'"}'
        answer = wire.post(endpoint, "ListTasks", body, chunked=chunked)
        assert error_type(answer) == (413, "RequestEntityTooLargeException")


# Connections.


def test_a_connection_is_kept_alive_also_after_errors(endpoint: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)
    socket_used = None
    for body in (b"{}", b"{", b'{"cluster": "nobody"}', b"{}"):
        target = f"{wire.TARGET_PREFIX}.ListTasks"
        headers = {"X-Amz-Target": target, "Content-Type": wire.CONTENT_TYPE}
        connection.request("POST", "/", body, headers)
        connection.getresponse().read()
        socket_used = socket_used or connection.sock
        assert connection.sock is socket_used is not None
    connection.close()


def test_requests_may_be_pipelined(endpoint: str) -> None:
    one = request_bytes(b"{}", close=False)
    raw = exchange(endpoint, one + one + request_bytes(b"{}"))
    assert raw.count(b"HTTP/1.1 200 OK") == 3


def test_garbage_on_a_connection_does_not_harm_others(endpoint: str) -> None:
    for junk in (b"\x16\x03\x01\x00\xa5\x01\x00", b"GET", b"\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"):
        with connected(endpoint) as connection:
            connection.sendall(junk)
            connection.shutdown(socket.SHUT_WR)
            read_all(connection)
    assert wire.post(endpoint, "ListTasks").status == 200


# Operations.


@pytest.mark.parametrize(
    "target",
    [
        f"{wire.TARGET_PREFIX}.LaunchRocket",
        f"{wire.TARGET_PREFIX}.listTasks",
        f"{wire.TARGET_PREFIX}.",
        "AmazonEC2ContainerServiceV20991231.ListTasks",
        "ListTasks",
        "",
        None,
    ],
)
def test_an_unknown_operation(endpoint: str, target: str | None) -> None:
    answer = wire.post(endpoint, "ListTasks", headers={"X-Amz-Target": target})
    assert error_type(answer) == (400, "UnknownOperationException")


def listed(name: str) -> list[str]:
    """The lines of one of the lists of what is not built."""
    lines = (ROOT / "docs" / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_an_operation_that_is_not_built_is_refused_by_name(endpoint: str) -> None:
    for operation in listed("unsupported-operations.txt"):
        answer = wire.post(endpoint, operation)
        assert error_type(answer) == (400, "UnsupportedOperationException"), operation
        assert operation in answer.json["message"]


def test_every_other_operation_of_the_model_is_built(endpoint: str) -> None:
    model = botocore.session.get_session().get_service_model("ecs")
    built = set(model.operation_names) - set(listed("unsupported-operations.txt"))
    assert {"ListTasks", "RunTask", "StopTask", "DescribeTasks"} <= built
    for operation in sorted(built):
        answer = wire.post(endpoint, operation)
        assert answer.status in (200, 400), (operation, answer.body)
        if answer.status == 400:
            assert answer.json["__type"] not in (
                "UnsupportedOperationException",
                "UnknownOperationException",
            ), operation


def example_of(path: list[str]) -> dict[str, Any]:
    """A request that uses the member at this path."""
    first, *rest = path
    name, is_list = first.removesuffix("[]"), first.endswith("[]")
    value = example_of(rest) if rest else [{"name": "x", "type": "x"}]
    return {name: [value] if is_list else value}


def test_a_member_that_is_not_built_is_refused_by_name(endpoint: str) -> None:
    for line in listed("unsupported-members.txt"):
        operation, *path = line.split(".")
        answer = wire.post(endpoint, operation, example_of(path))
        assert answer.status == 400
        last = path[-1].removesuffix("[]")
        assert last in answer.json["message"], (line, answer.body)


# Other requests.


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("POST", "/nowhere")])
def test_another_path_is_404(endpoint: str, method: str, path: str) -> None:
    answer = wire.request(endpoint, method, path)
    assert answer.status == 404
    assert answer.json["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_405(endpoint: str, method: str) -> None:
    answer = wire.request(endpoint, method, "/")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_nothing_a_caller_sends_makes_a_500(endpoint: str) -> None:
    odd: list[Any] = [None, 0, -1, 2**63, 1e308, "", "\u0000", "x" * 5000, [], [[]], {}, {"": 1}]
    model = botocore.session.get_session().get_service_model("ecs")
    unbuilt = set(listed("unsupported-operations.txt"))
    for operation in sorted(set(model.operation_names) - unbuilt):
        shape = model.operation_model(operation).input_shape
        for name in shape.members if shape else []:
            for value in odd:
                answer = wire.post(endpoint, operation, {name: value})
                assert answer.status in (200, 400), (operation, name, value, answer.body)
                json.loads(answer.body)


# Raw connections.


def request_bytes(body: bytes, *headers: str, close: bool = True) -> bytes:
    """A ListTasks request, byte by byte."""
    lines = ["POST / HTTP/1.1", "Host: 127.0.0.1", f"X-Amz-Target: {wire.TARGET_PREFIX}.ListTasks"]
    lines += [f"Content-Type: {wire.CONTENT_TYPE}", f"Content-Length: {len(body)}", *headers]
    lines += ["Connection: close"] if close else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def connected(endpoint: str) -> socket.socket:
    """A connection with a deadline."""
    url = urlsplit(endpoint)
    return socket.create_connection((url.hostname or "", url.port or 0), timeout=30)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""

    def parts() -> Iterator[bytes]:
        while True:
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                return
            if not part:
                return
            yield part

    return b"".join(parts())


def exchange(endpoint: str, *parts: bytes) -> bytes:
    """Sends the parts one by one and reads until the end."""
    with connected(endpoint) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            connection.sendall(part)
        return read_all(connection)
