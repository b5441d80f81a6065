"""The handler's answers, and what the app sees of an event."""

import io
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from flask import request

from app.aws_handler import Handler, create_handler
from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.model import User
from app.settings import Settings
from tests.app.events import event


@pytest.fixture
def handler(metrics: Metrics) -> Handler:
    data = MemoryDataClient()
    data.create_user(User(id="1", name="Ann", version="a", profile_pic=b"GIF89a\xff"))
    app = assemble(Settings(), metrics, data, NoCache())

    def echo(path: str) -> str:
        return f"{request.script_root}|{path}|{request.host_url}"

    app.add_url_rule("/echo/<path:path>", view_func=echo)
    return create_handler(app)


def get(handler: Handler, path: str, **headers: str) -> dict[str, Any]:
    return handler(event(httpx.Request("GET", f"http://testserver{path}", headers=headers)), None)


def test_problems_are_text_and_pictures_are_not(handler: Handler) -> None:
    assert not get(handler, "/users/2")["isBase64Encoded"]
    assert not get(handler, "/users/1")["isBase64Encoded"]
    assert get(handler, "/profile-pic/1", **{"X-User-Id": "1"})["isBase64Encoded"]


def test_the_stage_is_in_no_url_and_the_path_is_decoded_once(handler: Handler) -> None:
    body = get(handler, "/echo/%C3%A9/%2541")["body"]
    assert body == "|é/%41|https://api-id.execute-api.us-east-1.amazonaws.com/"


@pytest.mark.parametrize(
    ("headers", "answered"),
    [({}, "r-1"), ({"X-Request-Id": "mine"}, "mine"), ({"X-Request-Id": "not one"}, "r-1")],
)
def test_the_request_id_is_the_clients_or_lambdas(
    handler: Handler, log: io.StringIO, headers: dict[str, str], answered: str
) -> None:
    """The log has Lambda's in any case, to find Lambda's own lines by."""
    request = httpx.Request("GET", "http://testserver/users/1", headers=headers)
    answer = handler(event(request), SimpleNamespace(aws_request_id="r-1"))
    assert answer["headers"]["X-Request-Id"] == answered
    line = json.loads(log.getvalue())
    assert (line["request_id"], line["platform_request_id"]) == (answered, "r-1")


def test_a_304_has_the_type_of_the_200(handler: Handler) -> None:
    """API Gateway makes text/plain of no type at all."""
    picture = get(handler, "/profile-pic/1", **{"X-User-Id": "1"})["headers"]
    answer = get(handler, "/profile-pic/1", **{"X-User-Id": "1", "If-None-Match": picture["ETag"]})
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (304, "image/gif")
