"""The HTTP API front: requests to events and answers to responses, as API Gateway makes them."""

import gzip
import json
import re
from typing import Any

import httpx
import pytest

from local.cloud.aws.http_api.throttle import Throttle
from tests.cloud.conftest import Deploy, Deployed, raw_get

ECHO = "def handler(event, context): return {'event': event}"
ANSWER = "import json\ndef handler(event, context): return json.loads(event['body'])"


@pytest.fixture
def echo(deploy: Deploy) -> Deployed:
    return deploy(ECHO)


def event(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return response.json()["event"]


def test_the_event_has_the_shape_of_awss_documentation(echo: Deployed):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""
    response = echo.http.post(
        "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
        content="Hello from client!",
        headers=[("Header1", "value1"), ("Header1", "value2"), ("Cookie", "a=1; b=2"), ("User-Agent", "agent")],
    )
    got = event(response)
    context, headers = got.pop("requestContext"), got.pop("headers")
    assert got == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["a=1", "b=2"],
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "body": "Hello from client!",
        "isBase64Encoded": False,
    }
    assert context["http"] == {
        "method": "POST",
        "path": "/my/path",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "agent",
    }
    assert (context["accountId"], context["apiId"], context["stage"]) == ("123456789012", echo.api_id, "$default")
    assert context["domainName"] == f"{echo.api_id}.execute-api.eu-west-1.amazonaws.com"
    assert context["domainPrefix"] == echo.api_id
    assert re.fullmatch(r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000", context["time"])
    assert context["requestId"] == response.headers["apigw-requestid"]
    assert headers["header1"] == "value1,value2"
    assert headers["content-length"] == "18"
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert headers["x-forwarded-port"] == str(echo.http.base_url.port)
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"])
    assert "cookie" not in headers


def test_what_a_request_does_not_have_is_not_in_the_event(echo: Deployed):
    absent = {"body", "cookies", "queryStringParameters"}
    assert not absent & set(event(echo.http.get("/")))


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a%2Fb", "/a/b", ""),
        ("/a/../b//c", "/a/../b//c", ""),
        ("/%00", "/\0", ""),
        ("/%F0%9F%98%80", "/\U0001f600", ""),
        ("/%FF", "/\ufffd", ""),
        ("/100%25?q=%20+&x", "/100%", "q=%20+&x"),
        ("/a%3Fb?c=d", "/a", "c=d"),
    ],
)
def test_the_path_is_decoded_and_the_query_is_not(echo: Deployed, target: str, path: str, query: str):
    got = json.loads(raw_get(echo.url, target))["event"]
    assert (got["rawPath"], got["rawQueryString"]) == (path, query)
    assert got["requestContext"]["http"]["path"] == path


@pytest.mark.parametrize(
    ("content_type", "body", "encoded"),
    [
        ("application/json; charset=utf-8", b"{}", False),
        ("application/problem+json", b"{}", False),
        ("application/octet-stream", b"\x00\xff", True),
        ("application/x-www-form-urlencoded", b"a=b", True),
        ("application/json", b"\xff", True),
        ("application/json", gzip.compress(b"{}", mtime=0), True),
    ],
)
def test_bodies_that_are_not_text_are_base64(deploy: Deploy, content_type: str, body: bytes, encoded: bool):
    function = deploy(
        """
        import base64

        def handler(event, context):
            body = event["body"].encode()
            raw = base64.b64decode(body) if event["isBase64Encoded"] else body
            headers = {"x-encoded": event["isBase64Encoded"], "content-type": "a/b"}
            return {"statusCode": 200, "headers": headers, "body": base64.b64encode(raw), "isBase64Encoded": True}
    """.replace("base64.b64encode(raw)", "base64.b64encode(raw).decode()")
    )
    response = function.http.post("/", content=body, headers={"Content-Type": content_type, "Content-Encoding": "gzip"})
    assert (response.content, response.headers["x-encoded"]) == (body, str(encoded).lower())


def test_a_full_answer_becomes_the_response(deploy: Deploy):
    answer = {
        "statusCode": "418",
        "headers": {"X-Number": 1, "X-True": True, "Connection": "close", "Content-Length": "999"},
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "größe",
    }
    response = deploy(ANSWER).http.post("/", json=answer)
    assert (response.status_code, response.text) == (418, "größe")
    assert response.headers["content-type"] == "text/plain;charset=UTF-8"
    assert (response.headers["x-number"], response.headers["x-true"]) == ("1", "true")
    assert response.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2"]
    assert response.headers["content-length"] == "7"


def test_an_answer_without_a_status_code_is_the_body(deploy: Deploy):
    function = deploy(ANSWER)
    for answer in ({"a": 1}, [1, 2], "text", None):
        response = function.http.post("/", content=json.dumps(answer), headers={"Content-Type": "text/plain"})
        assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
        assert response.json() == answer


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": None},
        {"statusCode": 200, "headers": "none"},
        {"statusCode": 200, "headers": {"x": "a\r\nb: c"}},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
    ],
)
def test_a_malformed_answer_is_a_500(deploy: Deploy, answer: dict[str, Any]):
    response = deploy(ANSWER).http.post("/", json=answer)
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_head_has_no_body(deploy: Deploy):
    response = deploy("def handler(event, context): return {'statusCode': 200, 'body': 'text'}").http.head("/")
    assert (response.status_code, response.content) == (200, b"")


def test_what_is_too_large_does_not_reach_the_function(echo: Deployed):
    assert echo.http.post("/", content=b"x" * (10 * 2**20 + 1)).status_code == 413
    assert echo.http.post("/", content=b"x" * (7 * 2**20), headers={"Content-Type": "text/plain"}).status_code == 413
    assert echo.http.get("/" + "x" * 10240).status_code == 414
    assert echo.http.get("/", headers={"X": "x" * 10240}).status_code == 431
    assert not (echo.daemon.home / "logs" / f"lambda-{echo.name}-1.log").exists()


def test_only_the_default_route_of_the_default_stage_is_served(deploy: Deploy):
    response = deploy(ECHO, route="GET /users").http.get("/users")
    assert (response.status_code, response.json()) == (404, {"message": "Not Found"})


def test_what_comes_too_fast_does_not_reach_the_function(echo: Deployed):
    settings = {"ThrottlingRateLimit": 0.001, "ThrottlingBurstLimit": 3}
    gateway = echo.daemon.client("apigatewayv2")
    gateway.create_stage(ApiId=echo.api_id, StageName="$default", AutoDeploy=True, DefaultRouteSettings=settings)
    answers = [echo.http.get("/") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json() == {"message": "Too Many Requests"}


def test_a_route_gets_its_burst_and_then_its_rate():
    clock = [0.0]
    throttle, settings = Throttle(lambda: clock[0]), {"throttlingRateLimit": 2.0, "throttlingBurstLimit": 3}

    def admitted(tries: int = 10) -> int:
        return sum(throttle.admits("route", settings) for _ in range(tries))

    assert admitted() == 3
    clock[0] += 0.5
    assert admitted() == 1
    clock[0] += 60
    assert admitted() == 3
    assert throttle.admits("another route", settings)
    assert throttle.admits("route", settings | {"throttlingBurstLimit": 4})
    assert all(throttle.admits("free", {"detailedMetricsEnabled": False}) for _ in range(10))
