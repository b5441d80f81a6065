"""Whatever comes in: a problem that names the field, the same through WSGI and Lambda, and nothing written."""

import base64
import json
from collections import Counter
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.settings import Settings
from tests.app.clients import lambda_client, wsgi_client

NASTY_IDS = {
    "empty": "",
    "3 KB": "x" * 3_000,  # 9 KB with every character escaped
    "one too long": "x" * 129,
    "dots": "..",
    "dot": ".",
    "slash": "a/b",
    "escaped slash": "a%2Fb",
    "double escaped": "a%252Fb",
    "NUL": "a\0b",
    "reserved by Firestore": "__x__",
    "emoji": "🦆",
    "combining": "e\u0301",
    "right to left": "\u202eabc",
    "newline at the end": "abc\n",
    "space": " ",
    "template": "{{7*7}}",
    "quotes": "'\"",
    "backslash": "a\\b",
}
NASTY_BODIES = {
    "empty": (b"", "body"),
    "null": (b"null", "body"),
    "array": (b"[]", "body"),
    "string": (b'"id"', "body"),
    "number": (b"1e999", "body"),
    "two values": (b'{"id":"1","name":"a"} {}', "body"),
    "deep arrays": (b"[" * 100_000, "body"),
    "deep objects": (b'{"a":' * 50_000, "a"),
    "deep in a field": (b'{"id":"1","name":' + b"[" * 100_000, "name"),
    "deep in an unknown field": (b'{"x":' + b"[" * 100_000, "x"),
    "duplicate keys": (b'{"id":"1","name":"a","name":"b"}', "name"),
    "duplicate keys, one escaped": (b'{"id":"1","name":"a","n\\u0061me":"b"}', "name"),
    "invalid UTF-8": (b'{"id":"1","name":"\xff"}', "body"),
    "lone surrogate": (b'{"id":"1","name":"\\ud800"}', "body"),
    "byte order mark": (b'\xef\xbb\xbf{"id":"1","name":"a"}', "body"),
    "UTF-16": ('{"id":"1","name":"a"}'.encode("utf-16"), "body"),
    "NaN": (b'{"id":"1","name":NaN}', "body"),
    "huge number": (b'{"id":' + b"9" * 10_000 + b',"name":"a"}', "id"),
    "no id": (b'{"name":"a"}', "id"),
    "no name": (b'{"id":"1"}', "name"),
    "null name": (b'{"id":"1","name":null}', "name"),
    "empty name": (b'{"id":"1","name":""}', "name"),
    "long name": (b'{"id":"1","name":"' + b"a" * 257 + b'"}', "name"),
    "control characters": (b'{"id":"1","name":"a\\u0000"}', "name"),
    "unknown field": (b'{"id":"1","name":"a","admin":true}', "admin"),
    "the version": (b'{"id":"1","name":"a","version":"1"}', "version"),
    "followers no list": (b'{"id":"1","name":"a","followers":"2"}', "followers"),
    "followers null": (b'{"id":"1","name":"a","followers":null}', "followers"),
    "a follower no string": (b'{"id":"1","name":"a","followers":["2",3]}', "followers[1]"),
    "a follower no id": (b'{"id":"1","name":"a","followers":["__x__"]}', "followers[0]"),
    "a follower twice": (b'{"id":"1","name":"a","followers":["2","2"]}', "followers"),
    "1001 followers": (
        json.dumps({"id": "1", "name": "a", "followers": [str(i) for i in range(1001)]}).encode(),
        "followers",
    ),
    "picture no base64": (b'{"id":"1","name":"a","profile_pic":"!"}', "profile_pic"),
    "picture of text": (b'{"id":"1","name":"a","profile_pic":"PHNjcmlwdD4="}', "profile_pic"),
    "picture too large": (
        b'{"id":"1","name":"a","profile_pic":"' + b"A" * (4 * (256 * 1024 // 3 + 1)) + b'"}',
        "profile_pic",
    ),
}

any_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
some_ids = st.text("ab1._~-", min_size=1, max_size=8)
users: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"id": some_ids, "name": st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)},
    optional={
        "followers": st.lists(some_ids, unique=True, max_size=4),
        "profile_pic": st.binary(max_size=20).map(lambda rest: base64.b64encode(b"GIF89a" + rest).decode()),
    },
)
fields = st.sampled_from(["id", "name", "followers", "profile_pic"])
mistakes: st.SearchStrategy[dict[str, Any]] = st.dictionaries(fields | st.text(), any_json | st.text(), max_size=1)
almost_users = st.tuples(users, mistakes).map(lambda pair: pair[0] | pair[1])
bodies = (any_json | users | almost_users).map(lambda value: json.dumps(value).encode()) | st.binary()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
routes = st.sampled_from(["users", "cached-users", "followers", "cached-followers", "profile-pic", "health", "docs"])
paths = st.lists(texts, max_size=4) | st.builds(lambda *parts: list(parts), routes, some_ids | texts)


class Both:
    """The same request to two equal apps, through WSGI and through Lambda; the one answer they must agree on."""

    def __init__(self, log_nothing: Metrics) -> None:
        self.stores = MemoryDataClient(), MemoryDataClient()
        apps = [assemble(Settings(), log_nothing, store, NoCache()) for store in self.stores]
        self.clients = wsgi_client(apps[0]), lambda_client(apps[1])

    def request(self, method: str, url: httpx.URL | str, **more: Any) -> httpx.Response:
        one, other = (client.request(method, url, **more) for client in self.clients)
        assert (one.status_code, one.content, one.headers["content-type"]) == (
            other.status_code,
            other.content,
            other.headers["content-type"],
        )
        return one

    def nothing_is_written(self) -> None:
        assert [list(store.list_users(1)) for store in self.stores] == [[], []]


@pytest.fixture
def both(metrics: Metrics) -> Both:
    return Both(metrics)


def is_problem(answer: httpx.Response, field: str | None) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().get("field") == field, answer.text


@pytest.mark.parametrize("user_id", [*NASTY_IDS.values(), "a?b"], ids=[*NASTY_IDS, "question mark"])
def test_nasty_ids_in_a_body(both: Both, user_id: str) -> None:
    is_problem(both.request("POST", "/users", json={"id": user_id, "name": "a"}), "id")
    is_problem(both.request("POST", "/users", json={"id": "1", "name": "a", "followers": [user_id]}), "followers[0]")
    both.nothing_is_written()


@pytest.mark.parametrize("user_id", NASTY_IDS.values(), ids=NASTY_IDS.keys())
@pytest.mark.parametrize("route", ["users", "cached-users", "followers", "cached-followers", "profile-pic"])
def test_nasty_ids_in_a_path(both: Both, route: str, user_id: str) -> None:
    url = httpx.URL("http://testserver", raw_path=f"/{route}/{percent(user_id)}".encode())
    is_problem(both.request("GET", url), None if not user_id or "/" in user_id else "id")


@pytest.mark.parametrize(("body", "field"), NASTY_BODIES.values(), ids=NASTY_BODIES.keys())
def test_nasty_bodies(both: Both, body: bytes, field: str) -> None:
    headers = {"Content-Type": "application/json"}
    is_problem(both.request("POST", "/users", content=body, headers=headers), field)
    is_problem(both.request("PUT", "/users/1", content=body, headers=headers | {"If-None-Match": "*"}), field)
    both.nothing_is_written()


@pytest.mark.fuzz
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies, method=st.sampled_from(["POST", "PUT"]))
def test_any_body_is_a_user_or_a_problem(both: Both, tally: Counter[str], body: bytes, method: str) -> None:
    path = "/users" if method == "POST" else "/users/1"
    headers = {"Content-Type": "application/json", "If-None-Match": "*"}
    answer = both.request(method, path, content=body, headers=headers)
    tally[f"bodies answered {answer.status_code}"] += 1
    if answer.status_code == 201:
        for store in both.stores:
            assert store.delete_user(answer.json()["id"])
    else:
        assert answer.status_code in (400, 413)
        is_problem(answer, answer.json()["field"])
    both.nothing_is_written()


@pytest.mark.fuzz
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=paths, method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "TRACE"]))
def test_any_path_is_answered(both: Both, tally: Counter[str], parts: list[str], method: str) -> None:
    path = ("/" + "/".join(parts)).replace("?", "")  # at which API Gateway cuts the decoded path
    url = httpx.URL("http://testserver", raw_path=percent(path, "/").encode())
    one, other = (client.request(method, url) for client in both.clients)
    tally[f"paths answered {one.status_code}"] += 1
    assert one.status_code == other.status_code < 500


def percent(text: str, safe: str = "") -> str:
    """Every character escaped, also those that need not be."""
    return "".join(c if c in safe else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)
