"""The cache's quota: what reads and writes do while it is exceeded, and that no read names a key twice."""

from collections.abc import Mapping, Sequence

import grpc

from app.cache import LIMIT_EXCEEDED, Lookup
from app.cache.breaker import FAILURES, LIMIT_PAUSE_SECONDS, CircuitBreaker
from app.cache.momento import MomentoCache
from app.data.memory import MemoryDataClient
from app.model import User, UserInput
from app.users import Users
from local.cloud.momento import OVER_QUOTA, MomentoServer
from tests.app.caches import MemoryCache
from tests.app.test_breaker import Clock

ANN = UserInput(id="1", name="Ann")
NEW = UserInput(id="1", name="New Ann")


def refuse(method: str, context: grpc.ServicerContext) -> None:
    context.set_trailing_metadata(OVER_QUOTA)
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "")


def test_over_the_quota_the_store_answers_and_a_second_later_the_cache(
    cache: MomentoCache, momento_server: MomentoServer
) -> None:
    clock = Clock()
    users = Users(MemoryDataClient(), CircuitBreaker(cache, clock))
    users.create(ANN)
    users.get_cached("1")
    momento_server.fault = refuse
    outcomes = [users.get_cached("1") for _ in range(FAILURES + 1)]
    momento_server.fault = None
    outcomes.append(users.get_cached("1"))
    assert {user.name for user, _ in outcomes} == {"Ann"}
    assert [(outcome.error, outcome.stored) for _, outcome in outcomes] == [(LIMIT_EXCEEDED, False)] * (FAILURES + 2)
    clock.time += LIMIT_PAUSE_SECONDS
    assert users.get_cached("1")[1].hits == 1


def test_a_write_invalidates_while_reads_wait_for_the_quota(cache: MomentoCache, momento_server: MomentoServer) -> None:
    clock = Clock()
    users = Users(MemoryDataClient(), CircuitBreaker(cache, clock))
    users.create(ANN)
    users.get_cached("1")
    momento_server.fault = refuse
    users.get_cached("1")
    momento_server.fault = None
    users.put(NEW, lambda version: None)
    clock.time += LIMIT_PAUSE_SECONDS
    assert users.get_cached("1")[0].name == "New Ann"


class Recorded(MemoryCache):
    """Remembers the keys of its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, list[str]]] = []

    def get(self, keys: Sequence[str]) -> Lookup:
        self.calls.append(("get", [*keys]))
        return super().get(keys)

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        self.calls.append(("fill", [*entries]))
        return super().fill(entries)

    def invalidate(self, keys: Sequence[str]) -> None:
        self.calls.append(("invalidate", [*keys]))
        super().invalidate(keys)


def test_who_follows_himself_is_asked_for_once() -> None:
    cache = Recorded()
    users = Users(MemoryDataClient(), cache)
    users.create(UserInput(id="1", name="Ann", followers=("2", "1", "3")))
    users.create(UserInput(id="2", name="Bob"))
    users.create(UserInput(id="3", name="Cid", followers=("3",)))
    for followed in ("1", "1", "3"):
        users.followers_cached(followed)
    assert users.followers_cached("1")[0] == users.followers("1") == ["Bob", "Ann", "Cid"]
    assert users.followers_cached("3")[0] == users.followers("3") == ["Cid"]
    assert cache.calls[:7] == [
        ("get", ["user:1"]),
        ("fill", ["user:1"]),
        ("get", ["user:2", "user:3"]),
        ("fill", ["user:2", "user:3"]),
        *(("get", ["user:1"]), ("get", ["user:2", "user:3"])),
        ("get", ["user:3"]),
    ]


def test_a_follower_who_is_stored_twice_is_asked_for_once() -> None:
    cache, store = Recorded(), MemoryDataClient()
    users = Users(store, cache)
    store.put_users(
        [User(id="1", name="Ann", version="a", followers=("2", "2")), User(id="2", name="Bob", version="a")]
    )
    users.followers_cached("1")
    names, outcome = users.followers_cached("1")
    assert (names, outcome.hits, outcome.asked) == (["Bob", "Bob"], 1, 1)
    assert cache.calls[2:4] == [("get", ["user:2"]), ("fill", ["user:2"])]


def test_garbage_is_invalidated_and_not_filled_again() -> None:
    cache = Recorded()
    users = Users(MemoryDataClient(), cache)
    for new in (UserInput(id="1", name="Ann", followers=("2", "3")), *(UserInput(id=i, name=i) for i in ("2", "3"))):
        users.create(new)
    cache.fill({"user:2": b"garbage"})
    names, outcome = users.followers_cached("1")
    assert (names, outcome.error, outcome.stored) == (["2", "3"], "garbage", False)
    assert cache.calls[-2:] == [("invalidate", ["user:2", "picture:2"]), ("fill", ["user:3"])]
