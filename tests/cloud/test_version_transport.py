"""A version without traffic is asked as the HTTP API would ask it, from the laptop's Lambda, through boto3."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ops.deployment import Deployment, Skipped
from ops.reads import checks
from ops.stack import UsageError
from ops.target import Target
from ops.version_transport import VersionTransport
from tests.cloud.byte_cases import EVERYWHERE
from tests.cloud.conftest import Daemon, Deploy, Deployed, deploying
from tests.cloud.test_bytes import address, send
from tests.cloud.test_http_api import ANSWER, ECHO
from tests.cloud.test_lambda_log import APP, SETTINGS, stack_of

OF_THE_FRONT_DOOR = ("host", "x-forwarded-port", "x-forwarded-proto")
CASES = {
    "cookies": b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2\r\nCookie: c=3\r\n\r\n",
    "headers of one name": b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\nUser-Agent: agent\r\n\r\n",
    "parameters of one name": b"GET /?a=1&a=2&b&c=%20+ HTTP/1.1\r\nHost: a\r\n\r\n",
    "escaped question mark": b"GET /a%3Fb?c=d HTTP/1.1\r\nHost: a\r\n\r\n",
    "text": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
    "no type": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n\xff\x00",
    "problem": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b+json\r\nContent-Length: 3\r\n\r\na=b",
    "a type of no text": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\na=b",
    **{name: case for name, (case, _) in EVERYWHERE.items()},
}
ANSWERS: list[Any] = [
    {"statusCode": "418", "headers": {"X-Number": 1, "X-True": True, "Connection": "close", "Content-Length": "999"}},
    {"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"], "body": "größe"},
    {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True, "headers": {"content-type": "a/b"}},
    {"statusCode": 304, "headers": {"etag": '"1"'}},
    {"a": 1},
    [1, 2],
    "text",
    None,
    {"statusCode": "many"},
    {"statusCode": 99},
    {"statusCode": None},
    {"statusCode": 200, "headers": "none"},
    {"statusCode": 200, "headers": {"x": "a\r\nb: c"}},
    {"statusCode": 200, "body": {"not": "text"}},
    {"statusCode": 200, "body": "!", "isBase64Encoded": True},
]


def transport_of(function: Deployed, version: str = "1") -> VersionTransport:
    return VersionTransport(stack_of(function.daemon, function.name), version)


def client_of(function: Deployed, version: str = "1") -> httpx.Client:
    return httpx.Client(base_url=function.url, transport=transport_of(function, version))


def request_of(case: bytes, url: str) -> httpx.Request | None:
    """The same request; None if httpx has no such one: another target than it says, or framing of its own."""
    head, _, body = case.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    method, target, protocol = line.split(b" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    framing = {b"transfer-encoding", b"expect", b"upgrade"} & {name.lower() for name, _ in headers}
    if not target.startswith(b"/") or b"#" in target or framing or protocol != b"HTTP/1.1":
        return None
    request = httpx.Request(method.decode(), url + target.decode(), headers=headers, content=body)
    return request if request.url.raw_path == target else None


def comparable(event: dict[str, Any], trace_given: bool) -> dict[str, Any]:
    """What is not of this front door or this moment."""
    for name in OF_THE_FRONT_DOOR if trace_given else (*OF_THE_FRONT_DOOR, "x-amzn-trace-id"):
        event["headers"].pop(name)
    for name in ("requestId", "time", "timeEpoch"):
        event["requestContext"].pop(name)
    return event


def test_a_version_gets_the_events_that_the_http_api_makes(deploy: Deploy):
    function = deploy(ECHO)
    url = f"https://{function.api_id}.execute-api.eu-west-1.amazonaws.com"
    compared = 0
    with transport_of(function) as transport:
        for name, case in CASES.items():
            request, expected = request_of(case, url), send(address(function.url), case)
            if request and request.method != "HEAD" and expected.status == 200:
                answers = (transport.handle_request(request).read(), expected.body)
                trace_given = b"X-Amzn-Trace-Id" in case
                ours, theirs = (comparable(json.loads(answer)["event"], trace_given) for answer in answers)
                assert ours == theirs, name
                compared += 1
    assert compared > 40


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_a_versions_answer_becomes_the_response_that_the_http_api_makes(answering: Deployed, answer: Any):
    sent: dict[str, Any] = {"content": json.dumps(answer), "headers": {"Content-Type": "text/plain"}}
    expected = answering.http.post("/", **sent)
    with client_of(answering) as client:
        response = client.post("/", **sent)
    assert response.status_code == expected.status_code
    if expected.status_code < 500:
        assert (response.content, facts(response)) == (expected.content, facts(expected))
    else:
        assert response.json().items() >= expected.json().items()


@pytest.fixture(scope="module")
def answering(daemon: Daemon) -> Iterator[Deployed]:
    with deploying(daemon) as deploy:
        yield deploy(ANSWER)


def facts(response: httpx.Response) -> list[tuple[str, str]]:
    of_this_answer = ("date", "server", "apigw-requestid", "content-length", "connection")
    headers = sorted((name.lower(), value) for name, value in response.headers.multi_items())
    return [(name, value) for name, value in headers if name not in of_this_answer]


def test_a_head_has_the_length_of_its_get(deploy: Deploy):
    source = "def handler(event, context): return {'statusCode': 200, 'headers': {'Content-Length': 4}, 'body': 'text'}"
    function = deploy(source)
    with client_of(function) as client:
        response = client.head("/")
    assert (response.content, response.headers["content-length"]) == (b"", "4")


def test_an_error_of_the_function_says_what_happened(deploy: Deploy):
    function = deploy("def handler(event, context): raise KeyError('broken')")
    with client_of(function) as client:
        response = client.get("/")
    message = {"message": "Internal Server Error", "error": {"errorMessage": "'broken'", "errorType": "KeyError"}}
    assert (response.status_code, response.json()) == (500, message)


def test_too_large_a_body_is_a_413(answering: Deployed):
    with client_of(answering) as client:
        response = client.post("/", content=b"x" * (7 * 2**20), headers={"Content-Type": "text/plain"})
    assert (response.status_code, response.json()) == (413, {"message": "Request Entity Too Large"})


def test_a_version_that_does_not_exist(answering: Deployed):
    with client_of(answering, "9") as client, pytest.raises(UsageError, match=r"Function not found: arn:aws:.*:9$"):
        client.get("/")


def test_the_checks_pass_without_traffic(daemon: Daemon, deploy: Deploy) -> None:
    function, functions = deploy(APP, **SETTINGS), daemon.client("lambda")
    changed = {"Variables": {"METRICS_FORMAT": "emf", "ARTIFACT_DIGEST": "sha256:new"}}
    functions.update_function_configuration(FunctionName=function.name, Environment=changed)
    assert functions.publish_version(FunctionName=function.name)["Version"] == "2"
    target = Target("version 2", function.url, ("sha256:new",))
    passed = 0
    with Deployment.open(target, "", transport_of(function, "2")) as deployment:
        for _, check in checks(deployment):
            try:
                check()
                passed += 1
            except Skipped:
                continue
    assert passed > 30
    assert function.http.get("/health/live").json()["artifact"] == "development", "the alias has not moved"
