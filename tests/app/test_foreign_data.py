"""Records of other programs: the same answers on both stores, never a 500 or a wrong 200; writes repair them."""

import io
import json
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data import DataClient
from app.data.dynamodb import DynamoDBDataClient
from app.data.firestore import FirestoreDataClient
from app.http.operations import PICTURES
from app.http.schemas import UserBody, UserPage
from app.metrics import Metrics
from app.model import User
from app.settings import Settings
from tests.app.clients import wsgi_client
from tests.app.stores import ONE_OF_EACH_KIND, NewDataClient, on_real_stores

FOLLOWED = User(id="star", name="Star", version="v", followers=("1", "good"))
GOOD = User(id="good", name="Good", version="v")
VIEWERS = ["1", "2", "a", "b", "", "star"]
NEW = {"id": "1", "name": "New"}

TEXTS = ["Ann", "", "ab", "a\nb", "\x00", "é", "日本", "..", "__x__", "a/b", "x" * 300, "<script>", '"']
BYTES = [b"", b"GIF89a", b"<script>"]

others = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.sampled_from(TEXTS) | st.sampled_from(BYTES)
maps = st.dictionaries(st.sampled_from(["a", "b"]), others, max_size=2)
values = others | maps | st.lists(others | maps, max_size=3)
ids = st.sampled_from(["2", "a", "b"])
records: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("Ann") | values,
        "followers": st.lists(ids, max_size=3, unique=True) | values,
        "version": st.just("v1") | values,
        "profile_pic": st.just(b"GIF89a") | values,
        "age": values,
    },
)


def attribute(value: Any) -> dict[str, Any]:
    """The value in DynamoDB."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case list():
            return {"L": list(map(attribute, cast(list[Any], value)))}
        case _:
            return {"M": {name: attribute(each) for name, each in value.items()}}


def message(value: Any) -> dict[str, Any]:
    """The value in Firestore."""
    match value:
        case None:
            return {"null_value": 0}
        case bool():
            return {"boolean_value": value}
        case int():
            return {"integer_value": value}
        case str():
            return {"string_value": value}
        case bytes():
            return {"bytes_value": value}
        case list():
            return {"array_value": {"values": list(map(message, cast(list[Any], value)))}}
        case _:
            return {"map_value": {"fields": {name: message(each) for name, each in value.items()}}}


def write(data: DataClient, fields: dict[str, Any], user_id: str = "1") -> None:
    """Past the app. Fields are attributes or messages already, or plain values."""
    if isinstance(data, DynamoDBDataClient):
        item = {name: attribute(value) for name, value in fields.items()}
        picture = {"version": {"S": "p"}, "profile_pic": item.pop("profile_pic")} if "profile_pic" in item else None
        write_items(data, item | ({"picture": {"S": "p"}} if picture else {}), picture, user_id)
    else:
        assert isinstance(data, FirestoreDataClient), "how does another program write into this store?"
        write_messages(data, {name: message(value) for name, value in fields.items()}, user_id)


def write_items(
    data: DynamoDBDataClient, user: dict[str, Any], picture: dict[str, Any] | None = None, user_id: str = "1"
) -> None:
    key = {"id": {"S": user_id}}
    client, users, pictures = data._api.client, data._users, data._pictures  # pyright: ignore[reportPrivateUsage]
    client.put_item(TableName=users, Item=key | user)
    if picture is None:
        client.delete_item(TableName=pictures, Key=key)
    else:
        client.put_item(TableName=pictures, Item=key | picture)


def write_messages(data: FirestoreDataClient, fields: dict[str, Any], user_id: str = "1") -> None:
    api = data._api  # pyright: ignore[reportPrivateUsage]
    api.commit([{"update": {"name": api.name(user_id), "fields": fields}}], None)  # pyright: ignore[reportArgumentType]


class Both:
    """An app on each store, with the same good users in both."""

    def __init__(self, stores: list[DataClient]) -> None:
        self.stores = stores
        self.clients = [
            wsgi_client(assemble(Settings(), Metrics(stream=io.StringIO()), data, NoCache())) for data in stores
        ]
        for data in stores:
            data.put_users([FOLLOWED, GOOD])

    def write(self, fields: dict[str, Any]) -> None:
        for data in self.stores:
            write(data, fields)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The one answer that they must agree on."""
        answers = [client.request(method, path, **more) for client in self.clients]
        assert answers[0].status_code < 500, answers[0].text
        picked = [(a.status_code, a.content, a.headers["content-type"] if a.content else None) for a in answers]
        assert picked[0] == picked[1]
        if method == "GET":
            assert answers[0].headers.get("etag") == answers[1].headers.get("etag")
        return answers[0]


@pytest.fixture(scope="module")
def both(started: Callable[[str], NewDataClient]) -> Both:
    return Both([started(name)(Metrics(stream=io.StringIO())) for name in ONE_OF_EACH_KIND])


@pytest.mark.fuzz
@settings(
    max_examples=settings().max_examples // 10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(record=records)
def test_the_same_answers_on_both(both: Both, tally: Counter[str], record: dict[str, Any]) -> None:
    both.write(record)
    user = both.request("GET", "/users/1")
    tally[f"records answered {user.status_code}"] += 1
    readable = user.status_code == 200
    names = ["Good"]
    if readable:
        body = msgspec.json.decode(user.content, type=UserBody)
        assert (body.id, body.name, list(body.followers)) == ("1", record["name"], record.get("followers") or [])
        assert json.loads(both.request("GET", "/followers/1").content) == []
        names = [body.name, "Good"]
    assert both.request("GET", "/cached-users/1").content == user.content or not readable
    assert (
        both.request("GET", "/followers/star").json() == both.request("GET", "/cached-followers/star").json() == names
    )
    both.request("GET", "/cached-followers/1")
    for viewer in VIEWERS:
        for route in ("profile-pic", "cached-profile-pic"):
            picture = both.request("GET", f"/{route}/1", headers={"X-User-Id": viewer})
            if picture.status_code == 200:
                assert readable
                assert viewer in ["1", *(record.get("followers") or [])]
                assert picture.headers["content-type"] in PICTURES
    listed = [sorted(u.id for u in page(client).users) for client in both.clients]
    assert listed[0] == listed[1] == sorted(["star", "good", *(["1"] if readable else [])])

    assert both.request("POST", "/users", json=NEW).status_code == 409
    assert both.request("PUT", "/users/1", json=NEW, headers={"If-None-Match": "*"}).status_code == 412
    if readable:
        matching = {"If-Match": user.headers["etag"]}
        assert both.request("PUT", "/users/1", json=NEW, headers={"If-Match": '"other"'}).status_code == 412
    else:
        matching = {"If-Match": "*"}
    assert both.request("PUT", "/users/1", json=NEW, headers=matching).status_code == 200
    assert [client.get("/users/1").json()["name"] for client in both.clients] == ["New", "New"]
    both.write(record)
    assert both.request("DELETE", "/users/1", headers={"If-Match": "*"}).status_code == 204
    both.write(record)
    assert both.request("DELETE", "/users/1").status_code == 204
    assert both.request("GET", "/users/1").status_code == 404


def page(client: httpx.Client) -> UserPage:
    return msgspec.json.decode(client.get("/users").raise_for_status().content, type=UserPage)


ANN = {"name": "Ann", "followers": ["2"], "version": "v1"}
RECORDS: dict[str, tuple[dict[str, Any], bool]] = {
    "ours": (ANN, True),
    "no followers": ({"name": "Ann", "version": "v1"}, True),
    "followers null": (ANN | {"followers": None}, True),
    "no version": ({"name": "Ann", "followers": ["2"]}, True),
    "a number as version": (ANN | {"version": 5}, True),
    "a newline in the version": (ANN | {"version": "a\nb"}, True),
    "a Unicode version": (ANN | {"version": "é"}, True),
    "more than ours": (ANN | {"age": 5, "address": {"city": "London"}}, True),
    "script as picture": (ANN | {"profile_pic": b"<script>"}, True),
    "text as picture": (ANN | {"profile_pic": "R0lGODlh"}, True),
    "nothing": ({}, False),
    "no name": ({"followers": [], "version": "v1"}, False),
    "a number as name": (ANN | {"name": 5}, False),
    "a control character in the name": (ANN | {"name": "a\x00"}, False),
    "text as followers": (ANN | {"followers": "2"}, False),
    "a number among the followers": (ANN | {"followers": ["2", 3]}, False),
    "an empty follower": (ANN | {"followers": [""]}, False),
    "a slash in a follower": (ANN | {"followers": ["a/b"]}, False),
    "a reserved follower": (ANN | {"followers": ["__x__"]}, False),
    "1001 followers": (ANN | {"followers": [str(i) for i in range(1001)]}, False),
}


@pytest.mark.parametrize(("record", "readable"), RECORDS.values(), ids=RECORDS)
@on_real_stores()
def test_each_on_the_real_stores(data: DataClient, record: dict[str, Any], readable: bool, log: io.StringIO) -> None:
    data.put_users([FOLLOWED, GOOD])
    write(data, record)
    stored = data.get_user("1")
    assert stored
    assert (stored.user is not None) == readable
    assert set(data.get_users(["1", "good"])) == ({"1", "good"} if readable else {"good"})
    assert (data.get_user_with_picture("1") is not None) == readable
    unreadable = [json.loads(line).get("unreadable") for line in log.getvalue().splitlines()]
    assert unreadable.count(1) == (0 if readable else 3)
    assert {user.id for user in data.list_users(2)} <= {"1", "good", "star"}
    assert len(list(data.list_users(2))) == 2
    assert sorted(user.id for user in data.list_users(3)) == sorted(["good", "star", *(["1"] if readable else [])])
    data.replace_user(GOOD_1, stored.revision)
    assert data.get_user("1").user == GOOD_1  # type: ignore[union-attr]
    write(data, record)
    stored = data.get_user("1")
    assert stored
    assert data.delete_user("1", stored.revision)


@pytest.mark.parametrize("limit", [pytest.param(1, marks=pytest.mark.prove), 50])
@on_real_stores()
def test_a_list_gets_over_many_that_cannot_be_read(data: DataClient, limit: int, log: io.StringIO) -> None:
    data.put_users([User(id=f"u{number}", name="a\nb", version="v") for number in range(1500)])
    data.put_users([GOOD, FOLLOWED])
    met: list[str] = []
    while page := list(data.list_users(limit, met[-1] if met else None)):
        met += [user.id for user in page]
    assert sorted(met) == ["good", "star"]
    assert log.getvalue().count('"Scan"') + log.getvalue().count('"Query"') < 50


GOOD_1 = User(id="1", name="Good", version="w")
ONLY_IN_DYNAMODB: dict[str, dict[str, Any]] = {
    "a set of texts as followers": {"name": {"S": "Ann"}, "followers": {"SS": ["2"]}, "version": {"S": "v"}},
    "a set as version": {"name": {"S": "Ann"}, "followers": {"L": []}, "version": {"NS": ["1"]}},
}
ONLY_IN_FIRESTORE: dict[str, dict[str, Any]] = {
    "a time as name": {"name": {"timestamp_value": {"seconds": 1}}},
    "a place as name": {"name": {"geo_point_value": {"latitude": 1, "longitude": 2}}},
    "a reference into another project": {
        "name": {"string_value": "Ann"},
        "followers": {"array_value": {"values": [{"reference_value": "projects/p/databases/d/documents/users/2"}]}},
    },
    "a vector as version": {
        "name": {"string_value": "Ann"},
        "version": {
            "map_value": {
                "fields": {
                    "__type__": {"string_value": "__vector__"},
                    "value": {"array_value": {"values": [{"double_value": 1.5}]}},
                }
            }
        },
    },
}


@pytest.mark.parametrize("record", ONLY_IN_DYNAMODB.values(), ids=ONLY_IN_DYNAMODB)
@on_real_stores("dynamodb")
def test_types_of_dynamodb_alone(data: DataClient, record: dict[str, Any]) -> None:
    assert isinstance(data, DynamoDBDataClient)
    write_items(data, record)
    _reads_and_mends(data, readable=record["followers"].keys() == {"L"})


NAMED = {"name": {"S": "Ann"}, "version": {"S": "v"}}
GIF = {"version": {"S": "p"}, "profile_pic": {"B": b"GIF89a"}}
BROKEN_PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "a picture that nobody names": ({}, GIF),
    "no picture of that name": ({"picture": {"S": "p"}}, None),
    "another picture": ({"picture": {"S": "q"}}, GIF),
    "a picture without a version": ({"picture": {"S": "p"}}, {"profile_pic": {"B": b"GIF89a"}}),
    "neither has a version": ({}, {"profile_pic": {"B": b"GIF89a"}}),
    "a number as the picture": ({"picture": {"N": "1"}}, GIF),
    "null as the picture": ({"picture": {"NULL": True}}, GIF),
    "the same number in both": ({"picture": {"N": "1"}}, GIF | {"version": {"N": "1"}}),
}


@pytest.mark.parametrize(("user", "picture"), BROKEN_PAIRS.values(), ids=BROKEN_PAIRS)
@on_real_stores("dynamodb")
def test_a_picture_that_does_not_belong_to_its_user_is_none(
    data: DataClient, user: dict[str, Any], picture: dict[str, Any] | None
) -> None:
    assert isinstance(data, DynamoDBDataClient)
    write_items(data, NAMED | user, picture)
    assert data.get_user_with_picture("1") == User(id="1", name="Ann", version="v", profile_pic=None)
    for new in (GOOD_1, replace(GOOD_1, version="x", profile_pic=b"GIF89ab")):
        stored = data.get_user("1")
        assert stored
        data.replace_user(new, stored.revision)
        assert data.get_user_with_picture("1") == replace(new, profile_pic=new.profile_pic or None)
    assert data.delete_user("1")


@pytest.mark.parametrize("record", ONLY_IN_FIRESTORE.values(), ids=ONLY_IN_FIRESTORE)
@on_real_stores("firestore")
def test_types_of_firestore_alone(data: DataClient, record: dict[str, Any]) -> None:
    assert isinstance(data, FirestoreDataClient)
    write_messages(data, record)
    _reads_and_mends(data, readable="version" in record)


def _reads_and_mends(data: DataClient, readable: bool) -> None:
    data.create_user(GOOD)
    stored = data.get_user("1")
    assert stored
    assert (stored.user is not None) == readable
    assert {user.id for user in data.list_users(2)} == ({"1", "good"} if readable else {"good"})
    data.replace_user(GOOD_1, stored.revision)
    assert data.get_users(["1"]) == {"1": GOOD_1}
