"""After a write, whether it succeeds or not, nobody reads an old user or picture from the cache."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest

from app.cache.momento import MomentoCache
from app.data import StoreUnavailable
from app.data.memory import MemoryDataClient
from app.demo import USERS, demo_users
from app.metrics import Metrics
from app.model import User, UserInput
from app.settings import CacheSettings
from app.users import WRITTEN_AT_ONCE, UserNotFound, Users
from tests.app.servers import MOMENTO_API_KEY
from tests.app.test_cached_reads import anything

OLD = UserInput(id="1", name="Old", profile_pic=b"GIF89a old")
NEW = UserInput(id="1", name="New", profile_pic=b"GIF89a new")
WRITES: dict[str, Callable[[Users], object]] = {
    "put": lambda users: users.put(NEW, anything),
    "delete": lambda users: users.delete("1"),
    "delete a version": lambda users: users.delete("1", anything),
}

type Hook = Callable[[], object]


class Store(MemoryDataClient):
    """Calls `before` and `after` around every write, so that a test can read in between, or lose the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Hook = lambda: None
        self.after: Hook = lambda: None

    def replace_user(self, user: User, revision: str) -> None:
        self.before()
        super().replace_user(user, revision)
        self.after()

    def delete_user(self, user_id: str, revision: str | None = None) -> bool:
        self.before()
        deleted = super().delete_user(user_id, revision)
        self.after()
        return deleted

    def put_users(self, users: Sequence[User]) -> None:
        self.before()
        super().put_users(users)
        self.after()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def users(store: Store, cache: MomentoCache) -> Users:
    """The use cases of a process that writes."""
    return Users(store, cache)


@pytest.fixture
def readers(store: Store, cache_settings: CacheSettings, metrics: Metrics) -> Generator[Users]:
    """The use cases of another process, which has filled the cache."""
    with MomentoCache(cache_settings, lambda: MOMENTO_API_KEY, metrics) as cache:
        readers = Users(store, cache)
        readers.create(OLD)
        assert readers.get_cached("1")[1].stored
        assert readers.profile_pic_cached("1", "1")[1].stored
        yield readers


def read(users: Users) -> tuple[Any, Any]:
    """The name and the picture through the cache, or None."""
    try:
        return users.get_cached("1")[0].name, users.profile_pic_cached("1", "1")[0].profile_pic
    except UserNotFound:
        return None, None


def stored(store: Store) -> tuple[Any, Any]:
    old = store.get_user_with_picture("1")
    return (old.name, old.profile_pic) if old else (None, None)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_answer_of_a_write_is_lost(
    users: Users, readers: Users, store: Store, write: Callable[[Users], object]
) -> None:
    def lose() -> None:
        raise StoreUnavailable("the answer is lost")

    store.after = lose
    with pytest.raises(StoreUnavailable):
        write(users)
    assert read(readers) == stored(store) != (OLD.name, OLD.profile_pic)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_process_ends_between_the_store_and_the_cache(
    users: Users, cache: MomentoCache, readers: Users, store: Store, write: Callable[[Users], object], monkeypatch: Any
) -> None:
    def die() -> None:
        monkeypatch.setattr(cache, "invalidate", lambda keys: None)  # pyright: ignore[reportUnknownLambdaType]
        raise KeyboardInterrupt

    store.after = die
    with pytest.raises(KeyboardInterrupt):
        write(users)
    assert read(readers) == stored(store) != (OLD.name, OLD.profile_pic)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_reads_while_a_write_is_under_way_does_not_keep_the_old_user(
    users: Users, readers: Users, store: Store, write: Callable[[Users], object]
) -> None:
    seen: list[tuple[Any, Any]] = []
    store.before = lambda: seen.append(read(readers))
    write(users)
    assert seen == [(OLD.name, OLD.profile_pic)]
    assert read(readers) == stored(store) != (OLD.name, OLD.profile_pic)


def test_a_bootstrap_fails_half_way(users: Users, readers: Users, store: Store) -> None:
    for new in demo_users():
        store.put_users([User(id=new.id, name="Old", version="a")])
        readers.get_cached(new.id)
    batches = iter(range(2))

    def fail() -> None:
        if next(batches):
            raise StoreUnavailable("after it was written")

    store.after = fail
    with pytest.raises(StoreUnavailable):
        users.bootstrap()
    names = [readers.get_cached(str(number + 1))[0].name for number in range(USERS)]
    assert [name == "Old" for name in names] == [False] * 2 * WRITTEN_AT_ONCE + [True] * (USERS - 2 * WRITTEN_AT_ONCE)
