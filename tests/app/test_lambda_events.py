"""Which events the handler takes: HTTP events are answered whatever is in them, others are failed on."""

import io
import json
from collections import Counter
from typing import Any, cast

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.aws_event import NotAnHttpEvent
from app.aws_handler import Handler, create_handler
from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.settings import Settings
from tests.app.events import event

LIVE = event(httpx.Request("GET", "http://testserver/health/live"))
NULLS: dict[str, Any] = {
    "version": None,
    "routeKey": None,
    "rawQueryString": None,
    "cookies": None,
    "headers": None,
    "queryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "body": None,
    "isBase64Encoded": None,
    "requestContext": {"http": {"method": "GET", "sourceIp": None}, "authorizer": None, "requestId": None},
}
# https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
FUNCTION_URL: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/health/live",
    "rawQueryString": "a=1&a=2",
    "cookies": ["c1=1", "c2=2"],
    "headers": {"header1": "value1,value2"},
    "queryStringParameters": {"a": "1,2"},
    "requestContext": {
        "accountId": "123456789012",
        "apiId": "url-id",
        "authentication": None,
        "authorizer": {"iam": {"accessKey": "AKIA...", "cognitoIdentity": None, "principalOrgId": None}},
        "domainName": "url-id.lambda-url.us-west-2.on.aws",
        "domainPrefix": "url-id",
        "http": {"method": "GET", "path": "/health/live", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
        "requestId": "id",
        "routeKey": "$default",
        "stage": "$default",
    },
    "body": None,
    "pathParameters": None,
    "isBase64Encoded": False,
    "stageVariables": None,
}
NOT_HTTP: dict[str, Any] = {
    "queue": {"Records": [{"eventSource": "aws:sqs", "body": "a secret"}]},
    "topic": {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "a secret"}}]},
    "schedule": {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
    "REST API": {"version": "1.0", "httpMethod": "GET", "path": "/", "requestContext": {"stage": "prod"}},
    "load balancer": {"httpMethod": "GET", "path": "/", "requestContext": {"elb": {"targetGroupArn": "arn"}}},
    "WebSocket API": {"requestContext": {"routeKey": "$connect", "eventType": "CONNECT"}},
    "no context": {"version": "2.0", "rawPath": "/", "requestContext": None},
    "test button": {"key1": "value1", "key2": "value2"},
    "keys on two lines": {"a\nb": 1},
    "nothing": {},
    "null": None,
    "list": [LIVE],
    "text": json.dumps(LIVE),
    "number": 1,
}

any_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
)
headers = st.dictionaries(
    st.sampled_from(["host", "content-type", "x-request-id", "traceparent", "authorization", "If_Match", "cookie"])
    | st.text(st.characters()),
    st.none() | st.text(st.characters()),
    max_size=4,
)
texts = st.text(st.characters())
methods = st.sampled_from(["GET", "POST", "PUT", "DELETE"]) | texts
paths = st.sampled_from(["/users", "/users/1", "/profile-pic/1", "/docs"]) | texts
typed: dict[str, st.SearchStrategy[Any]] = {
    "version": st.sampled_from(["2.0", None]),
    "rawPath": paths,
    "rawQueryString": st.none() | texts,
    "headers": st.none() | headers,
    "cookies": st.none() | st.lists(texts),
    "body": st.none() | texts,
    "isBase64Encoded": st.none() | st.booleans(),
    "requestContext": st.fixed_dictionaries({"http": st.fixed_dictionaries({"method": methods})}),
}
untyped = {
    **dict.fromkeys(typed, any_json | st.just("\ud800")),
    "requestContext": st.fixed_dictionaries({"http": any_json}),
}
changes = st.fixed_dictionaries({}, optional=typed) | st.fixed_dictionaries({}, optional=untyped)


@pytest.fixture
def handler(metrics: Metrics) -> Handler:
    return create_handler(assemble(Settings(), metrics, MemoryDataClient(), NoCache()))


@pytest.mark.parametrize("change", [{name: value} for name, value in NULLS.items()] + [NULLS], ids=list[str])
def test_nulls_are_what_is_left_out(handler: Handler, change: dict[str, Any]) -> None:
    assert handler(LIVE | change, None)["statusCode"] == 200


def test_function_urls_send_the_same_events(handler: Handler) -> None:
    assert handler(FUNCTION_URL, None)["statusCode"] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.0"},
        {"rawPath": None},
        {"headers": {"a": 1}},
        {"headers": {"a": "b\r\nc: d"}},
        {"requestContext": {"http": None}},
        {"requestContext": {"http": {}}},
        {"body": "not base64!", "isBase64Encoded": True},
        {"body": "é", "isBase64Encoded": True},
        {"body": {}},
        {"cookies": "\ud800"},
    ],
    ids=ascii,
)
def test_an_http_event_with_something_wrong_is_a_400(handler: Handler, change: dict[str, Any]) -> None:
    answer = handler(LIVE | change, None)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (400, "application/problem+json")
    assert json.loads(answer["body"])["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"headers": {"a": None, "b_c": "d", "e f": "g", "": "h", "\ud800": "i", "j\n": "k", "l": "\udcff", "m": "日"}},
        {"headers": {"host": "a b/c@d:99999", "content-length": "-1", "transfer-encoding": "chunked"}},
        {"headers": {"traceparent": "\udcff", "x-request-id": "\udcff", "x-amzn-trace-id": "\ud800"}},
        {"cookies": ["\udcff", "a=日"]},
        {"rawQueryString": "\ud800é"},
        {"body": "\ud800"},
    ],
    ids=ascii,
)
def test_text_that_is_no_utf_8_is_served_and_logged(handler: Handler, log: io.StringIO, change: dict[str, Any]) -> None:
    assert handler(LIVE | change, None)["statusCode"] == 200
    assert json.loads(log.getvalue())["status"] == 200


@pytest.mark.parametrize("foreign", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_no_http_event_is_failed_on_in_one_line(handler: Handler, foreign: Any) -> None:
    """Lambda takes any answer for success, and would delete a queue's messages."""
    with pytest.raises(NotAnHttpEvent) as failure:
        handler(foreign, None)
    said = str(failure.value)
    assert "\n" not in said
    assert "requestContext.http" in said
    assert "secret" not in said
    assert (str([*cast(dict[str, Any], foreign)]) if isinstance(foreign, dict) else type(foreign).__name__) in said


def test_a_body_is_whole_whatever_the_headers_say(handler: Handler) -> None:
    framing = {"transfer-encoding": "chunked", "content-length": "3"}
    created = event(httpx.Request("POST", "http://testserver/users", json={"id": "1", "name": "Ada"}))
    assert handler(created | {"headers": created["headers"] | framing}, None)["statusCode"] == 201


def test_header_names_with_underscores_do_not_count(handler: Handler) -> None:
    user = {"id": "1", "name": "Ada"}

    def put(**headers: str) -> int:
        request = httpx.Request("PUT", "http://testserver/users/1", json=user, headers=headers)
        return handler(event(request), None)["statusCode"]

    assert put(**{"If-None-Match": "*"}) == 201
    assert put(If_Match="*") == 428
    assert put(**{"If-Match": "*"}) == 200


@pytest.mark.fuzz
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=changes)
def test_no_http_event_makes_the_handler_raise(handler: Handler, tally: Counter[str], change: dict[str, Any]) -> None:
    answer = handler(json.loads(json.dumps(LIVE | change)), None)
    tally[f"events answered {answer['statusCode']}"] += 1
    assert answer["statusCode"] < 500
    assert json.loads(json.dumps(answer)) == answer


@pytest.mark.fuzz
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(foreign=any_json)
def test_any_other_event_is_failed_on(handler: Handler, tally: Counter[str], foreign: Any) -> None:
    with pytest.raises(NotAnHttpEvent):
        handler(foreign, None)
    tally["events failed on"] += 1
