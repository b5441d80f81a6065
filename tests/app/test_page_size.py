"""No page is larger than what Lambda may answer, and a walk meets everybody all the same."""

import io
import json
from typing import Any

import httpx
import pytest

from app.aws_handler import create_handler
from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.model import MAX_FOLLOWERS, MAX_NAME, User
from app.settings import Settings
from tests.app.clients import wsgi_client
from tests.app.events import event, response
from tests.app.stores import NewDataClient

MAX_ANSWER = 6_291_456  # bytes, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html


@pytest.mark.parametrize("follower", ["f{:0>127}", "{}"], ids=["long ids", "short ids"])
@pytest.mark.parametrize("name", ["N", "\U0001f986" * MAX_NAME], ids=["short name", "long name"])
def test_a_walk_over_the_largest_users(metrics: Metrics, follower: str, name: str) -> None:
    followers = tuple(follower.format(i) for i in range(MAX_FOLLOWERS))
    store = MemoryDataClient()
    store.put_users([User(id=f"u{i:0>3}", name=name, version="v", followers=followers) for i in range(100)])
    handler = create_handler(assemble(Settings(), metrics, store, NoCache()))
    met: list[str] = []
    path = "/users?limit=100"
    while path:
        answer: dict[str, Any] = handler(event(httpx.Request("GET", f"http://testserver{path}")), None)
        assert len(json.dumps(answer)) < MAX_ANSWER
        page = response(answer).json()
        assert page["users"]
        met += [user["id"] for user in page["users"]]
        path = page["next_cursor"] and f"/users?limit=100&cursor={page['next_cursor']}"
    assert met == [f"u{i:0>3}" for i in range(100)]


@pytest.mark.parametrize(
    "new_data_client", ["dynamodb-local", pytest.param("moto", marks=pytest.mark.prove)], indirect=True
)
def test_a_page_that_is_full_by_bytes_is_not_read_further(
    new_data_client: NewDataClient, metrics: Metrics, log: io.StringIO
) -> None:
    store = new_data_client(metrics)
    followers = tuple(f"f{i:0>127}" for i in range(MAX_FOLLOWERS))
    store.put_users([User(id=f"u{i}", name="N", version="v", followers=followers) for i in range(50)])
    log.truncate(log.seek(0))
    app = assemble(Settings(timeout_seconds=300), metrics, store, NoCache())  # moto takes long for a Scan of 1 MB
    page = wsgi_client(app).get("/users").json()
    assert 10 < len(page["users"]) < 50
    # DynamoDB answers 1 MB a time, moto a little less and DynamoDB Local a little more; a page has 3, all users have 6.
    assert log.getvalue().count('"Scan"') in (3, 4)


def test_the_names_of_the_most_followers(metrics: Metrics) -> None:
    ids = tuple(f"f{i}" for i in range(MAX_FOLLOWERS))
    store = MemoryDataClient()
    store.put_users([User(id=i, name="\U0001f986" * MAX_NAME, version="v") for i in ids])
    store.create_user(User(id="star", name="Star", version="v", followers=ids))
    handler = create_handler(assemble(Settings(), metrics, store, NoCache()))
    answer = handler(event(httpx.Request("GET", "http://testserver/followers/star")), None)
    assert len(response(answer).json()) == MAX_FOLLOWERS
    assert len(json.dumps(answer)) < MAX_ANSWER
