"""Reads through a real cache are correct whatever the cache does, and an old user is not read forever."""

import threading
from collections.abc import Generator, Sequence

import grpc
import pytest

from app.cache.breaker import FAILURES, CircuitBreaker
from app.cache.momento import MomentoCache
from app.cached_users import FILL_SECONDS
from app.data import Stored
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.model import MAX_FOLLOWERS, User, UserInput
from app.settings import CacheSettings
from app.users import UserNotFound, Users
from local.cloud.momento import MomentoServer
from tests.app.garbage import GARBAGE
from tests.app.servers import MOMENTO_API_KEY

ANN = UserInput(id="1", name="Ann", followers=("2", "3"), profile_pic=b"\x89PNG\r\n\x1a\n")
NEW = UserInput(id="1", name="New Ann")


class Store(MemoryDataClient):
    """Counts its calls, and calls `meanwhile` during a read, after the data was read."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.meanwhile = threading.Event().set

    def get_user(self, user_id: str) -> Stored | None:
        self.calls += 1
        stored = super().get_user(user_id)
        self.meanwhile()
        return stored

    def get_user_with_picture(self, user_id: str) -> User | None:
        self.calls += 1
        user = super().get_user_with_picture(user_id)
        self.meanwhile()
        return user

    def get_users(self, user_ids: Sequence[str]) -> dict[str, User]:
        self.calls += 1
        users = super().get_users(user_ids)
        self.meanwhile()
        return users


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def users(store: Store, cache: MomentoCache) -> Users:
    return Users(store, cache)


@pytest.fixture
def other(store: Store, cache_settings: CacheSettings, metrics: Metrics) -> Generator[Users]:
    """Another process, with the same store and cache and another connection."""
    with MomentoCache(cache_settings, lambda: MOMENTO_API_KEY, metrics) as cache:
        yield Users(store, cache)


def anything(version: str | None) -> None:
    """No precondition."""


def test_the_second_read_does_not_ask_the_store(users: Users, store: Store) -> None:
    users.create(ANN)
    first, miss = users.get_cached("1")
    second, hit = users.get_cached("1")
    assert first == second == users.get("1")
    assert (miss.hits, miss.stored, hit.hits, hit.stored) == (0, True, 1, False)
    assert store.calls == 2


def test_warm_followers_do_not_ask_the_store(users: Users, store: Store) -> None:
    for new in (ANN, UserInput(id="2", name="Bob"), UserInput(id="3", name="Cid")):
        users.create(new)
    users.get_cached("2")
    store.calls = 0
    names, outcome = users.followers_cached("1")
    assert (names, outcome.hits, outcome.asked, store.calls) == (["Bob", "Cid"], 1, 2, 2)
    names, outcome = users.followers_cached("1")
    assert (names, outcome.hits, outcome.asked, store.calls) == (["Bob", "Cid"], 2, 2, 2)


def test_a_user_with_many_followers_takes_the_cache_from_nobody(store: Store, cache: MomentoCache) -> None:
    users = Users(store, CircuitBreaker(cache))
    users.create(UserInput(id="star", name="Star", followers=tuple(f"f{i}" for i in range(MAX_FOLLOWERS))))
    store.put_users([User(id=f"f{i}", name=f"N{i}", version="a") for i in range(MAX_FOLLOWERS)])
    users.create(ANN)
    users.get_cached("1")
    for _ in range(FAILURES + 1):
        names, outcome = users.followers_cached("star")
        assert names == [f"N{i}" for i in range(MAX_FOLLOWERS)]
        assert (outcome.bypassed, outcome.error, outcome.stored) == (True, None, False)
    assert users.get_cached("1")[1].hits == 1


def test_the_picture_is_cached_with_who_may_see_it(users: Users, store: Store) -> None:
    users.create(ANN)
    for _ in range(2):
        assert users.profile_pic_cached("1", "3")[0].profile_pic == ANN.profile_pic
    assert store.calls == 1


def test_a_write_is_seen_at_once_by_everybody(users: Users, other: Users) -> None:
    users.create(ANN)
    other.get_cached("1")
    other.profile_pic_cached("1", "1")
    users.put(UserInput(id="1", name="New Ann", profile_pic=b"GIF89a"), anything)
    assert other.get_cached("1")[0].name == "New Ann"
    assert other.profile_pic_cached("1", "1")[0].profile_pic == b"GIF89a"
    users.delete("1")
    with pytest.raises(UserNotFound):
        other.get_cached("1")


@pytest.mark.parametrize("kind", ["user", "picture"])
def test_a_reader_that_started_before_a_write_cannot_bring_the_old_user_back(
    users: Users, other: Users, store: Store, kind: str
) -> None:
    users.create(ANN)

    def write() -> None:
        store.meanwhile = threading.Event().set
        users.put(NEW, anything)

    store.meanwhile = write
    if kind == "user":
        read, outcome = other.get_cached("1")
    else:
        read, outcome = other.profile_pic_cached("1", "1")
    assert (read.name, outcome.stored) == ("Ann", False)
    assert other.get_cached("1")[0].name == "New Ann"


def test_a_reader_that_took_longer_than_an_invalidation_lasts_does_not_fill(store: Store, cache: MomentoCache) -> None:
    times = iter([0.0, FILL_SECONDS])
    users = Users(store, cache, lambda: next(times))
    users.create(ANN)
    assert not users.get_cached("1")[1].stored
    assert cache.get(["user:1"]).hits == {}


@pytest.mark.parametrize("value", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_a_miss_and_goes_away(users: Users, cache: MomentoCache, value: bytes) -> None:
    users.create(ANN)
    cache.fill({"user:1": value, "picture:1": value})
    user, outcome = users.get_cached("1")
    assert (user.name, outcome.hits, outcome.error) == ("Ann", 0, "garbage")
    assert users.profile_pic_cached("1", "1")[0].profile_pic == ANN.profile_pic
    assert cache.get(["user:1", "picture:1"]).hits == {}


@pytest.mark.usefixtures("shipped_deadline")
def test_down_and_slow_caches_are_misses_until_nobody_asks_any_more(
    store: Store, cache: MomentoCache, momento_server: MomentoServer
) -> None:
    asked: list[str] = []
    released = threading.Event()

    def hold(method: str, context: grpc.ServicerContext) -> None:
        asked.append(method)
        released.wait()

    users = Users(store, CircuitBreaker(cache))
    users.create(ANN)
    momento_server.fault = hold
    outcomes = [users.get_cached("1") for _ in range(FAILURES + 3)]
    released.set()
    assert {user.name for user, _ in outcomes} == {"Ann"}
    assert [outcome.error for _, outcome in outcomes] == ["timeout"] * FAILURES + ["circuit_open"] * 3
    assert asked == ["GetBatch"] * FAILURES
