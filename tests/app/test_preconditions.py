"""`If-Match` and `If-None-Match`, alone and together, on every method (RFC 9110, 13)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import httpx
import pytest

from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.model import User
from app.settings import Settings
from tests.app.clients import NewClient, wsgi_client

WRITERS = 50
ADA = {"id": "ada", "name": "New"}
READS = ["/users/ada", "/cached-users/ada", "/profile-pic/ada", "/cached-profile-pic/ada"]
WITHOUT_VERSION = ["/users", "/followers/ada", "/cached-followers/ada", "/health/live", "/openapi.json", "/docs"]

type Headers = dict[str, str]

# `"v"` is the stored version. Each row: headers, the answer to a read of what is there, and those to PUT and DELETE of
# what is there and of nothing.
TABLE: dict[str, tuple[Headers, int, tuple[int, int], tuple[int, int]]] = {
    "match": ({"If-Match": '"v"'}, 200, (200, 204), (412, 404)),
    "match one of several": ({"If-Match": '"a", "v"'}, 200, (200, 204), (412, 404)),
    "match any": ({"If-Match": "*"}, 200, (200, 204), (412, 404)),
    "match another": ({"If-Match": '"a"'}, 412, (412, 412), (412, 404)),
    "match weakly": ({"If-Match": 'W/"v"'}, 412, (412, 412), (412, 404)),
    "match nothing": ({"If-Match": ""}, 412, (412, 412), (412, 404)),
    "none match": ({"If-None-Match": '"a"'}, 200, (200, 204), (201, 404)),
    "none match, the one": ({"If-None-Match": '"v"'}, 304, (412, 412), (201, 404)),
    "none match, weakly the one": ({"If-None-Match": 'W/"v"'}, 304, (412, 412), (201, 404)),
    "none match, one of several": ({"If-None-Match": '"a", "v"'}, 304, (412, 412), (201, 404)),
    "none match any": ({"If-None-Match": "*"}, 304, (412, 412), (201, 404)),
    "match and none match": ({"If-Match": '"v"', "If-None-Match": '"a"'}, 200, (200, 204), (412, 404)),
    "match and the one": ({"If-Match": '"v"', "If-None-Match": '"v"'}, 304, (412, 412), (412, 404)),
    "match and any": ({"If-Match": "*", "If-None-Match": "*"}, 304, (412, 412), (412, 404)),
    "another and none match": ({"If-Match": '"a"', "If-None-Match": '"a"'}, 412, (412, 412), (412, 404)),
}


@pytest.fixture
def store() -> MemoryDataClient:
    store = MemoryDataClient()
    store.create_user(User(id="ada", name="Ada", version="v", profile_pic=b"GIF89a", followers=("bob",)))
    return store


@pytest.fixture
def client(store: MemoryDataClient, metrics: Metrics, new_client: NewClient) -> httpx.Client:
    return new_client(assemble(Settings(), metrics, store, NoCache()))


@pytest.mark.parametrize(("headers", "status"), [row[:2] for row in TABLE.values()], ids=TABLE)
def test_reads(client: httpx.Client, headers: Headers, status: int) -> None:
    for method, path in product(("GET", "HEAD"), READS):
        answer = client.request(method, path, headers=headers | {"X-User-Id": "ada"})
        assert answer.status_code == status, (method, path)
        if status == 412:
            assert answer.headers["content-type"] == "application/problem+json"
            assert b"Ada" not in answer.content
            assert b"GIF" not in answer.content
        else:
            assert answer.headers["etag"] == '"v"'
            assert bool(answer.content) == (status == 200 and method == "GET")


def test_reads_of_what_has_no_version_of_its_own(client: httpx.Client) -> None:
    for path in WITHOUT_VERSION:
        first = client.get(path)
        etag = first.headers["etag"]
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 304, path
        assert client.get(path, headers={"If-Match": etag}).content == first.content, path
        assert client.get(path, headers={"If-Match": '"v"'}).status_code == 412, path


def test_what_is_not_there_is_404_whatever_the_preconditions(client: httpx.Client) -> None:
    for header in ("If-Match", "If-None-Match"):
        assert client.get("/users/nobody", headers={header: "*"}).status_code == 404


@pytest.mark.parametrize(
    ("headers", "there", "absent"), [(row[0], row[2], row[3]) for row in TABLE.values()], ids=TABLE
)
def test_writes(
    client: httpx.Client, store: MemoryDataClient, headers: Headers, there: tuple[int, int], absent: tuple[int, int]
) -> None:
    put, delete = there
    before = store.get_user("ada")
    assert client.put("/users/ada", json=ADA, headers=headers).status_code == put
    assert (store.get_user("ada") == before) == (put == 412)
    store.put_users([User(id="ada", name="Ada", version="v")])
    assert client.delete("/users/ada", headers=headers).status_code == delete
    assert (store.get_user("ada") is None) == (delete == 204)
    store.delete_user("ada")
    put, delete = absent
    assert client.delete("/users/ada", headers=headers).status_code == delete
    assert client.put("/users/ada", json=ADA, headers=headers).status_code == put
    assert (store.get_user("ada") is not None) == (put == 201)


def test_post_and_options_ignore_them(client: httpx.Client) -> None:
    for number, headers in enumerate([{"If-Match": '"a"'}, {"If-None-Match": "*"}]):
        assert client.post("/users", json={"id": f"u{number}", "name": "U"}, headers=headers).status_code == 201
        assert client.options("/users/ada", headers=headers).status_code == 204


class Interrupted(MemoryDataClient):
    """Somebody else comes between a read and the write that follows."""

    meanwhile: Callable[[], object] | None = None

    def get_user(self, user_id: str):
        stored = super().get_user(user_id)
        if self.meanwhile:
            act, self.meanwhile = self.meanwhile, None
            act()
        return stored


@pytest.mark.parametrize(
    ("headers", "replaced", "deleted"),
    [
        ({"If-Match": "*"}, (200, 204), (412, 404)),
        ({"If-Match": '"v"'}, (412, 412), (412, 404)),
        ({"If-None-Match": '"a"'}, (200, 204), (201, 404)),
        ({"If-None-Match": '"w"'}, (412, 412), (201, 404)),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_whoever_comes_between_counts(
    metrics: Metrics, method: str, headers: Headers, replaced: tuple[int, int], deleted: tuple[int, int]
) -> None:
    store = Interrupted()
    changes: list[tuple[Callable[[], object], tuple[int, int]]] = [
        (lambda: store.put_users([User(id="ada", name="Ada", version="w")]), replaced),
        (lambda: store.delete_user("ada"), deleted),
    ]
    client = wsgi_client(assemble(Settings(), metrics, store, NoCache()))
    for meanwhile, expected in changes:
        store.put_users([User(id="ada", name="Ada", version="v")])
        store.meanwhile = meanwhile
        answer = client.request(method, "/users/ada", json=ADA, headers=headers)
        assert answer.status_code == expected[method == "DELETE"]


@pytest.mark.parametrize(("headers", "winners"), [({"If-Match": '"v"'}, 1), ({"If-Match": "*"}, WRITERS)], ids=str)
def test_many_writers_at_once(client: httpx.Client, headers: Headers, winners: int) -> None:
    ready = threading.Barrier(WRITERS)

    def write(number: int) -> int:
        ready.wait()
        return client.put("/users/ada", json=ADA, headers=headers).status_code

    with ThreadPoolExecutor(WRITERS) as threads:
        statuses = list(threads.map(write, range(WRITERS)))
    assert statuses.count(200) == winners
    assert statuses.count(412) == WRITERS - winners
