"""The control API: who may ask, and what it answers to what makes no sense."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.cloud.conftest import Daemon, Deploy


@pytest.mark.parametrize("path", ["/health", "/faults/aws/held", "/nowhere", "/"])
@pytest.mark.parametrize("token", ["x", "\xff", None])
def test_it_wants_the_token_of_daemon_json(daemon: Daemon, path: str, token: str | None):
    headers = {} if token is None else {b"Authorization": f"Bearer {token}".encode("latin-1")}
    answer = httpx.get(daemon.facts["control"] + path, headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json() == {"error": "the token is not the one in daemon.json: send it as Authorization: Bearer TOKEN"}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "\xff"])
def test_it_wants_a_host_that_is_this_computer(daemon: Daemon, host: str):
    port = daemon.control.base_url.port
    answer = daemon.control.get("/health", headers={b"Host": host.format(port=port).encode("latin-1")})
    assert (answer.status_code, answer.json()) == (403, {"error": f"the Host is not 127.0.0.1:{port}"})
    assert daemon.control.get("/health", headers={"Host": f"localhost:{port}"}).json() == {"status": "ok"}


FAULT, RECORDED, GCP_RESOURCE = "faults/aws", "recorded/a/b", "gcp/resources/a/b"
INVOCATION = "aws/functions/a/invocations"


@pytest.mark.parametrize(
    ("path", "contents"),
    {
        INVOCATION: [b"", b"{", b"\xff"],
        RECORDED: [b"", b"{", b"\xff", b"[]", b'"text"', b"1", b"null", b'{"a":' * 100_000],
        GCP_RESOURCE: [b"", b"[]", b"{}", b'{"inputs": []}', b'{"inputs": {}, "files": {"source": 1}}'],
        FAULT: [b"", b"[]", b'"down"', b"{}", b'{"fault": ["down"]}', b'{"fault": "up"}'],
    }.items(),
)
def test_a_body_that_makes_no_sense_is_a_400(daemon: Daemon, path: str, contents: list[bytes]):
    for content in contents:
        answer = daemon.control.request("POST" if path == INVOCATION else "PUT", path, content=content)
        assert (answer.status_code, is_one_line(answer)) == (400, True), content[:50]


@pytest.mark.parametrize(
    ("type", "body"),
    [
        ("gcp:cloudrunv2/service:Service", {"inputs": {}}),
        ("gcp:cloudrunv2/service:Service", {"inputs": {"name": "a", "template": 1}}),
        ("gcp:cloudrunv2/service:Service", {"inputs": {"name": "a", "template": {"containers": [1]}}}),
        ("gcp:cloudrunv2/service:Service", {"inputs": {"name": "a", "template": {}, "traffics": [{"percent": "x"}]}}),
        ("gcp:secretmanager/secretVersion:SecretVersion", {"inputs": {}}),
        ("gcp:storage/bucketObject:BucketObject", {"inputs": {"name": "a", "content": 1}}),
        ("gcp:storage/bucketObject:BucketObject", {"inputs": {"name": "a"}, "files": {"source": "/none"}}),
        ("gcp:storage/bucketObject:BucketObject", {"inputs": {"name": "a"}, "files": {"source": "\0"}}),
    ],
)
def test_inputs_that_make_no_sense_are_a_400(daemon: Daemon, type: str, body: dict[str, Any]):
    answer = daemon.control.put(f"/gcp/resources/{quote(type, safe='')}/a", json=body)
    assert (answer.status_code, is_one_line(answer)) == (400, True)


@pytest.mark.parametrize("method", ["OPTIONS", "PATCH", "TRACE"])
@pytest.mark.parametrize("path", ["health", "aws/apis/a", "aws/functions/a", INVOCATION, RECORDED, GCP_RESOURCE, FAULT])
def test_a_method_that_a_route_does_not_have_is_a_404(daemon: Daemon, path: str, method: str):
    answer = daemon.control.request(method, path)
    assert (answer.status_code, answer.json()) == (404, {"error": f"{method} /{path} is not known"})


def test_what_it_does_not_know_is_a_404(daemon: Daemon):
    for method, path, error in [
        ("PUT", "aws/apis/none", "HTTP API none does not exist"),
        ("GET", "aws/apis/none", "HTTP API none is not open"),
        ("DELETE", "aws/apis/none", "HTTP API none is not open"),
        ("GET", RECORDED, "a b does not exist"),
        ("DELETE", GCP_RESOURCE, "a b does not exist"),
        ("DELETE", "faults/none", "DELETE /faults/none is not known"),
        ("GET", "nowhere", "GET /nowhere is not known"),
        ("GET", "", "GET / is not known"),
    ]:
        answer = daemon.control.request(method, path)
        assert (answer.status_code, answer.json()) == (404, {"error": error})


def test_only_a_published_version_has_an_environment_before_its_first_call(daemon: Daemon, deploy: Deploy):
    arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{deploy('def handler(event, context): return 1').name}"

    def start(arn: str) -> httpx.Response:
        return daemon.control.put(f"/aws/functions/{quote(arn, safe='')}/environment")

    assert start(f"{arn}:1").status_code == 204
    for unpublished in (arn, f"{arn}:$LATEST", f"{arn}:live", "none"):
        refusal = start(unpublished)
        assert (refusal.status_code, refusal.json()) == (400, {"error": f"{unpublished} names no published version"})
    for unknown in (f"{arn}:2", "arn:aws:lambda:eu-west-1:123456789012:function:none:1", "none:1", "a:b:c:d:e:f:g:1"):
        refusal = start(unknown)
        assert (refusal.status_code, refusal.json()) == (404, {"error": f"function {unknown} does not exist"})


def is_one_line(answer: httpx.Response) -> bool:
    """Whether it is nothing but an error's text."""
    [text] = answer.json().values()
    return answer.json().keys() == {"error"} and text and text.isprintable() and "Traceback" not in text
