"""sts:GetCallerIdentity on the same endpoint."""

from typing import Any

import pytest

from harness import clients, wire
from harness.ecs_calls import refused
from harness.server import Server


def test_everybody_is_root_of_one_account_without_a_credentials_file(
    simulated_server: Server,
) -> None:
    identity = clients.sts(simulated_server.endpoint).get_caller_identity()
    assert identity["Account"] == identity["UserId"] == "000000000000"
    assert identity["Arn"] == "arn:aws:iam::000000000000:root"
    assert len(identity["ResponseMetadata"]["RequestId"]) == 36


def test_any_region_may_ask(simulated_server: Server) -> None:
    sts = clients.sts(simulated_server.endpoint, region="ap-southeast-2")
    assert sts.get_caller_identity()["Account"] == "000000000000"


def test_the_answer_is_xml(simulated_server: Server) -> None:
    answer = post(simulated_server, b"Action=GetCallerIdentity&Version=2011-06-15")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert b"<GetCallerIdentityResponse" in answer.body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Action=AssumeRole&Version=2011-06-15", b"<Code>InvalidAction</Code>"),
        (b"Action=GetCallerIdentity&Version=2010-01-01", b"<Code>InvalidAction</Code>"),
        (b"Version=2011-06-15", b"<Code>MissingAction</Code>"),
    ],
)
def test_anything_else_is_refused_in_xml(
    simulated_server: Server, body: bytes, code: bytes
) -> None:
    answer = post(simulated_server, body)
    assert answer.status == 400
    assert code in answer.body


def test_boto3_reads_the_refusal(simulated_server: Server) -> None:
    sts = clients.sts(simulated_server.endpoint)
    refusal = refused(sts.get_session_token)
    assert refusal.code == "InvalidAction"


def post(server: Server, body: bytes) -> Any:
    """A form, as the query protocol sends it."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return wire.request(server.endpoint, "POST", "/", body, headers)
