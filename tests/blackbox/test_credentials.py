"""Signatures with a credentials file; who may call without one."""

import datetime
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness import clients, wire
from harness.ecs_calls import invalid, listed, refused, register, run
from harness.paths import longshore_binary
from harness.ports import free_port
from harness.server import Server

ALICE, BOB = "111111111111", "222222222222"
KEYS = """
[[key]]
access_key_id = "AKIDALICE"
secret_access_key = "alice-secret"
account = "111111111111"

[[key]]
access_key_id = "AKIDBOB"
secret_access_key = "bob-secret"
account = "222222222222"
principal = "arn:aws:sts::222222222222:assumed-role/deploy/bob"

[[key]]
access_key_id = "ASIATEMP"
secret_access_key = "temp-secret"
account = "111111111111"
session_token = "the-session-token"
"""
MISMATCH = (
    "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details.",
)
UNKNOWN = (
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
)


@pytest.fixture
def signed_server(start_server: Any, tmp_path: Path) -> Server:
    """A server that verifies signatures."""
    path = tmp_path / "keys.toml"
    path.write_text(KEYS)
    path.chmod(0o600)
    return start_server(engine_kind="simulated", options=["--credentials", str(path)])


def alice(server: Server, **options: Any) -> Any:
    """A client of the first account."""
    keys = {"access_key": "AKIDALICE", "secret_key": "alice-secret", **options}
    return clients.ecs(server.endpoint, **keys)


def bob(server: Server) -> Any:
    """A client of the second account."""
    return clients.ecs(server.endpoint, access_key="AKIDBOB", secret_key="bob-secret")


def signed(
    server: Server, *, service: str = "ecs", region: str = "us-east-1", age: int = 0,
    body: bytes = b"{}", change: dict[str, str] | None = None,
) -> wire.Answer:  # fmt: skip
    """ListTasks with a signature of botocore's, made `age` seconds ago, then changed."""
    target = f"{wire.TARGET_PREFIX}.ListTasks"
    headers = {"X-Amz-Target": target, "Content-Type": wire.CONTENT_TYPE}
    request = AWSRequest("POST", server.endpoint + "/", headers=headers, data=body)
    signer = SigV4Auth(Credentials("AKIDALICE", "alice-secret"), service, region)
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
    request.context["timestamp"] = then.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    sent = {**dict(request.headers.items()), **(change or {})}
    return wire.request(server.endpoint, "POST", "/", body, sent)


def error(answer: wire.Answer) -> tuple[str, str]:
    """`__type` and message of a 400."""
    assert answer.status == 400, answer.body
    return answer.json["__type"], answer.json["message"]


# With a file.


def test_a_good_signature_is_let_in(signed_server: Server) -> None:
    assert signed(signed_server).json == {"taskArns": []}
    assert listed(alice(signed_server)) == []


def test_a_wrong_secret_is_refused(signed_server: Server) -> None:
    ecs = alice(signed_server, secret_key="guessed")
    assert refused(ecs.list_tasks) == MISMATCH
    assert refused(ecs.create_cluster, clusterName="blue") == MISMATCH
    assert len(alice(signed_server).list_clusters()["clusterArns"]) == 1


def test_an_unknown_key_is_refused(signed_server: Server) -> None:
    ecs = alice(signed_server, access_key="AKIDNOBODY")
    assert refused(ecs.list_tasks) == UNKNOWN


def test_a_request_without_a_signature_is_refused(signed_server: Server) -> None:
    wanted = ("MissingAuthenticationTokenException", "Missing Authentication Token")
    assert error(wire.post(signed_server.endpoint, "ListTasks")) == wanted


def test_a_broken_authorization_header_is_refused(signed_server: Server) -> None:
    answer = signed(signed_server, change={"Authorization": "AWS4-HMAC-SHA256 nothing"})
    kind, message = error(answer)
    assert kind == "IncompleteSignatureException"
    assert message.startswith("Authorization header requires 'Credential' parameter. ")


def test_an_old_signature_is_refused(signed_server: Server) -> None:
    assert signed(signed_server, age=200).status == 200
    kind, message = error(signed(signed_server, age=600))
    assert kind == "InvalidSignatureException"
    assert message.startswith("Signature expired: ")
    assert message.endswith(" - 5 min.)")


def test_a_signature_of_the_future_is_refused(signed_server: Server) -> None:
    assert signed(signed_server, age=-200).status == 200
    kind, message = error(signed(signed_server, age=-600))
    assert kind == "InvalidSignatureException"
    assert message.startswith("Signature not yet current: ")
    assert message.endswith(" + 5 min.)")


def test_a_signature_for_another_service_is_refused(signed_server: Server) -> None:
    assert error(signed(signed_server, service="ec2")) == (
        "InvalidSignatureException",
        "Credential should be scoped to correct service: 'ecs'.",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"X-Amz-Target": f"{wire.TARGET_PREFIX}.ListClusters"},
        {"Host": "localhost:1"},
    ],
)
def test_a_signed_header_that_was_changed_is_refused(
    signed_server: Server, change: dict[str, str]
) -> None:
    assert error(signed(signed_server, change=change)) == MISMATCH


def test_a_changed_body_is_refused(signed_server: Server) -> None:
    target = f"{wire.TARGET_PREFIX}.ListTasks"
    request = AWSRequest(
        "POST", signed_server.endpoint + "/", data=b"{}",
        headers={"X-Amz-Target": target, "Content-Type": wire.CONTENT_TYPE},
    )  # fmt: skip
    SigV4Auth(Credentials("AKIDALICE", "alice-secret"), "ecs", "us-east-1").add_auth(request)
    sent = dict(request.headers.items())
    assert wire.request(signed_server.endpoint, "POST", "/", b"{}", sent).status == 200
    changed = wire.request(signed_server.endpoint, "POST", "/", b"{ }", sent)
    assert error(changed) == MISMATCH


def test_a_temporary_key_needs_its_session_token(signed_server: Server) -> None:
    keys = {"access_key": "ASIATEMP", "secret_key": "temp-secret"}
    good = clients.ecs(signed_server.endpoint, session_token="the-session-token", **keys)
    assert listed(good) == []
    for token in (None, "another-token"):
        ecs = clients.ecs(signed_server.endpoint, session_token=token, **keys)
        assert refused(ecs.list_tasks) == UNKNOWN


def test_two_accounts_are_two_worlds(signed_server: Server) -> None:
    one, two = alice(signed_server), bob(signed_server)
    register(one)
    register(two)
    here, there = run(one, "app", 2), run(two, "app", 2)
    assert here[0].startswith(f"arn:aws:ecs:us-east-1:{ALICE}:task/default/")
    assert there[0].startswith(f"arn:aws:ecs:us-east-1:{BOB}:task/default/")
    assert (listed(one), listed(two)) == (here, there)
    answer = one.describe_tasks(tasks=[there[0].rsplit("/", 1)[1]])
    assert [f["reason"] for f in answer["failures"]] == ["MISSING"]
    token = one.list_tasks(maxResults=1)["nextToken"]
    assert refused(two.list_tasks, nextToken=token) == invalid("Invalid token")
    cluster = f"arn:aws:ecs:us-east-1:{ALICE}:cluster/default"
    assert refused(two.list_tasks, cluster=cluster) == (
        "ClusterNotFoundException",
        "Cluster not found.",
    )


def test_sts_says_who_one_is(signed_server: Server) -> None:
    def identity(key: str, secret: str) -> dict[str, Any]:
        sts = clients.sts(signed_server.endpoint, access_key=key, secret_key=secret)
        return sts.get_caller_identity()

    one = identity("AKIDALICE", "alice-secret")
    assert (one["Account"], one["Arn"]) == (ALICE, f"arn:aws:iam::{ALICE}:user/AKIDALICE")
    two = identity("AKIDBOB", "bob-secret")
    assert (two["Account"], two["Arn"]) == (BOB, f"arn:aws:sts::{BOB}:assumed-role/deploy/bob")
    sts = clients.sts(signed_server.endpoint, access_key="AKIDALICE", secret_key="guessed")
    assert refused(sts.get_caller_identity, status=403).code == "SignatureDoesNotMatch"


def test_secrets_and_signatures_are_not_logged(signed_server: Server) -> None:
    alice(signed_server).list_tasks()
    refused(alice(signed_server, secret_key="guessed").list_tasks)
    for secret in ("alice-secret", "bob-secret", "the-session-token", "Signature="):
        assert secret not in signed_server.log()


@pytest.mark.parametrize("text", ["", "[[key]]\n", "nonsense", "[[key]]\naccess_key_id = 'A'\n"])
def test_a_wrong_file_is_refused_at_start(start_server: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    options = ["--credentials", str(path)]
    server = start_server(start=False, engine_kind="simulated", options=options)
    server.start(ready=False)
    assert server.wait_exit() == 2
    assert str(path) in server.log()


# Without a file.


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1", "null"])
def test_a_web_page_is_refused(simulated_server: Server, origin: str) -> None:
    headers: dict[str, str | None] = {"Origin": origin}
    answer = wire.post(simulated_server.endpoint, "ListTasks", headers=headers)
    assert (answer.status, answer.json["__type"]) == (403, "AccessDeniedException")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "169.254.169.254", ""])
def test_a_host_that_is_not_loopback_is_refused(simulated_server: Server, host: str) -> None:
    answer = wire.post(simulated_server.endpoint, "ListTasks", headers={"Host": host})
    assert (answer.status, answer.json["__type"]) == (403, "AccessDeniedException")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8327", "ecs.localhost:1"])
def test_loopback_names_are_let_in(simulated_server: Server, host: str) -> None:
    answer = wire.post(simulated_server.endpoint, "ListTasks", headers={"Host": host})
    assert answer.status == 200


def test_any_key_is_let_in_without_a_file(simulated_server: Server) -> None:
    ecs = clients.ecs(simulated_server.endpoint, access_key="anything", secret_key="at all")
    assert listed(ecs) == []


def test_another_address_than_loopback_needs_a_file(tmp_path: Path) -> None:
    address = f"0.0.0.0:{free_port()}"
    arguments = ["serve", "--listen", address, "--data-dir", tmp_path / "data"]
    done = subprocess.run(
        [longshore_binary(), *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert f"{address} is not a loopback address" in done.stderr
    assert "--credentials" in done.stderr
    assert not (tmp_path / "data").exists()
