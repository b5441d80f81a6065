"""Conformance of every store to the `DataClient` protocol."""

import io
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from app.data import DataClient, UserExists, VersionConflict
from app.model import User

RACERS = 50
READERS, WRITES = 4, 20
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def user(
    user_id: str = "1",
    version: str = "a",
    name: str = "Ann",
    followers: Sequence[str] = (),
    profile_pic: bytes | UnsetType | None = None,
) -> User:
    return User(id=user_id, name=name, followers=tuple(followers), version=version, profile_pic=profile_pic)


def small(user: User) -> User:
    """As it is read without its picture."""
    return replace(user, profile_pic=UNSET)


def read(data: DataClient, user_id: str = "1") -> User | None:
    """The user with the picture, once it is certain that all reads agree on the rest."""
    stored, user = data.get_user(user_id), data.get_user_with_picture(user_id)
    rest = user and small(user)
    assert (stored and stored.user) == rest == data.get_users([user_id]).get(user_id)
    return user


def revision(data: DataClient, user_id: str = "1") -> Any:
    stored = data.get_user(user_id)
    assert stored
    return stored.revision


def test_a_created_user_comes_back_whole(data: DataClient) -> None:
    ann = user(name="Ånn 🦆", followers=["3", "2", "9"], profile_pic=PNG)
    data.create_user(ann)
    assert read(data) == ann


def test_a_closed_client_opens_again(data: DataClient) -> None:
    data.close()
    data.create_user(user())
    data.close()
    assert read(data) == user()


def test_an_unknown_user_is_none(data: DataClient) -> None:
    assert read(data) is None


@pytest.mark.parametrize("user_id", ["A", "0.~_-", "x" * 128, "a" + "~" * 127])
def test_every_valid_id_is_kept(data: DataClient, user_id: str) -> None:
    data.create_user(user(user_id))
    assert read(data, user_id) == user(user_id)
    assert [u.id for u in data.list_users(10)] == [user_id]


def test_a_taken_id_is_refused_and_the_first_user_stays(data: DataClient) -> None:
    data.create_user(user(version="a"))
    with pytest.raises(UserExists):
        data.create_user(user(version="b", name="Bob"))
    assert read(data) == user(version="a")


def test_creating_again_after_a_lost_answer_is_no_error(data: DataClient) -> None:
    data.create_user(user())
    data.create_user(user())
    assert read(data) == user()


def test_the_largest_user_fits(data: DataClient) -> None:
    largest = user(
        "i" * 128,
        name="\U0001f986" * 256,
        followers=[f"{i:a>128}" for i in range(1000)],
        profile_pic=PNG + bytes(256 * 1024 - len(PNG)),
    )
    data.create_user(largest)
    assert read(data, largest.id) == largest


def test_get_users_finds_those_that_exist_without_pictures(data: DataClient) -> None:
    users = {i: user(i, followers=["7"], profile_pic=PNG) for i in ("1", "2", "3")}
    for each in users.values():
        data.create_user(each)
    found = data.get_users(["3", "nobody", "1", "3"])
    assert found == {"1": small(users["1"]), "3": small(users["3"])}


def test_get_users_of_nobody(data: DataClient) -> None:
    assert data.get_users([]) == {}


def test_get_users_and_put_users_have_no_limit(data: DataClient) -> None:
    users = [user(f"u{i}") for i in range(260)]
    data.put_users(users)
    assert data.get_users([u.id for u in users]) == {u.id: small(u) for u in users}


def test_put_users_writes_over(data: DataClient) -> None:
    data.create_user(user(version="a", profile_pic=PNG))
    data.put_users([user(version="b", name="Bob")])
    assert read(data) == user(version="b", name="Bob")


def test_a_walk_meets_every_user_once_while_others_are_added_and_deleted(data: DataClient) -> None:
    ids = {f"u{i}" for i in range(25)}
    data.put_users([user(i, profile_pic=PNG) for i in ids])
    met: list[str] = []
    page = list(data.list_users(10))
    data.create_user(user("u0-new"))
    while page:
        met += [u.id for u in page]
        last = met[-1]
        data.delete_user(last)
        page = list(data.list_users(10, after=last))
    assert len(met) == len(set(met))
    assert ids <= set(met) <= ids | {"u0-new"}


def test_a_list_has_as_many_as_asked_unless_it_is_the_end(data: DataClient) -> None:
    data.put_users([user(str(i), followers=["5"]) for i in range(5)])
    first = list(data.list_users(3))
    rest = list(data.list_users(3, after=first[-1].id))
    assert (len(first), len(rest)) == (3, 2)
    assert sorted(u.id for u in first + rest) == ["0", "1", "2", "3", "4"]
    assert first[0] == small(user(first[0].id, followers=["5"]))
    assert list(data.list_users(3, after=rest[-1].id)) == []


def test_an_empty_list(data: DataClient) -> None:
    assert list(data.list_users(3)) == []


def test_replace_writes_over_what_was_read(data: DataClient) -> None:
    data.create_user(user(version="a", followers=["2"], profile_pic=PNG))
    data.replace_user(user(version="b", name="Bob"), revision(data))
    assert read(data) == user(version="b", name="Bob")


def test_replace_with_another_picture(data: DataClient) -> None:
    data.create_user(user(version="a", profile_pic=PNG))
    data.replace_user(user(version="b", profile_pic=PNG + b"2"), revision(data))
    assert read(data) == user(version="b", profile_pic=PNG + b"2")


@pytest.mark.parametrize("picture", [None, PNG], ids=["none", "a picture"])
def test_replace_without_a_picture_keeps_the_old_one(data: DataClient, picture: bytes | None) -> None:
    data.create_user(user(version="a", profile_pic=picture))
    for version in "bc":
        data.replace_user(user(version=version, name="Bob", profile_pic=UNSET), revision(data))
    assert read(data) == user(version="c", name="Bob", profile_pic=picture)


def test_replacing_again_after_a_lost_answer_is_no_error(data: DataClient) -> None:
    data.create_user(user(version="a"))
    old = revision(data)
    data.replace_user(user(version="b", name="Bob"), old)
    data.replace_user(user(version="b", name="Bob"), old)
    assert read(data) == user(version="b", name="Bob")


def test_replace_refuses_when_somebody_wrote_meanwhile(data: DataClient) -> None:
    data.create_user(user(version="a"))
    old = revision(data)
    data.put_users([user(version="b")])
    with pytest.raises(VersionConflict):
        data.replace_user(user(version="c", name="Bob"), old)
    assert read(data) == user(version="b")


def test_replace_does_not_create(data: DataClient) -> None:
    data.create_user(user(version="a"))
    old = revision(data)
    data.delete_user("1")
    with pytest.raises(VersionConflict):
        data.replace_user(user(version="b"), old)
    assert read(data) is None


def test_delete(data: DataClient) -> None:
    data.create_user(user())
    assert data.delete_user("1")
    assert read(data) is None
    assert not data.delete_user("1")


def test_delete_of_what_was_read(data: DataClient) -> None:
    data.create_user(user(version="a"))
    old = revision(data)
    data.put_users([user(version="b")])
    with pytest.raises(VersionConflict):
        data.delete_user("1", old)
    assert read(data) == user(version="b")
    new = revision(data)
    assert data.delete_user("1", new)
    with pytest.raises(VersionConflict):
        data.delete_user("1", new)


def test_refusals_are_no_errors_of_the_store(data: DataClient, log: io.StringIO) -> None:
    data.create_user(user(version="a"))
    old = revision(data)
    data.put_users([user(version="b")])
    with pytest.raises(UserExists):
        data.create_user(user(version="c"))
    with pytest.raises(VersionConflict):
        data.replace_user(user(version="c"), old)
    with pytest.raises(VersionConflict):
        data.delete_user("1", old)
    assert {json.loads(line)["UpstreamErrors"] for line in log.getvalue().splitlines()} <= {0}


@pytest.mark.parametrize("picture", [None, UNSET], ids=["none", "unset"])
def test_a_deleted_id_can_be_created_again(data: DataClient, picture: UnsetType | None) -> None:
    data.create_user(user(version="a", profile_pic=PNG))
    data.delete_user("1")
    data.create_user(user(version="b", profile_pic=picture))
    assert read(data) == user(version="b")


class TestRaces:
    """If RACERS clients do the same at the same time, one succeeds and the others are refused."""

    def test_create(self, data: DataClient) -> None:
        [winner] = race(lambda i: data.create_user(user(version=f"v{i}")))
        assert read(data) == user(version=f"v{winner}")

    @pytest.mark.parametrize("picture", [None, PNG], ids=["without pictures", "with pictures"])
    def test_replace(self, data: DataClient, picture: bytes | None) -> None:
        def version(number: int) -> User:
            return user(version=f"v{number}", profile_pic=picture and picture + bytes([number]))

        data.create_user(version(99))
        old = revision(data)
        [winner] = race(lambda i: data.replace_user(version(i), old))
        assert read(data) == version(winner)

    def test_readers_see_a_picture_with_its_user_alone(self, data: DataClient) -> None:
        def version(number: int) -> User:
            return user(version=f"v{number}", profile_pic=PNG + bytes([number]))

        def read_until_written() -> set[User | None]:
            seen = {data.get_user_with_picture("1")}
            while not written.is_set():
                seen.add(data.get_user_with_picture("1"))
            return seen

        written, versions = Event(), list(map(version, range(WRITES)))
        data.create_user(versions[0])
        with ThreadPoolExecutor(READERS) as threads:
            readers = [threads.submit(read_until_written) for _ in range(READERS)]
            for new in versions[1:]:
                data.replace_user(new, revision(data))
            written.set()
        assert set[User | None]().union(*(reader.result() for reader in readers)) <= set(versions)

    def test_delete_what_was_read(self, data: DataClient) -> None:
        data.create_user(user())
        old = revision(data)
        [_] = race(lambda i: data.delete_user("1", old))
        assert read(data) is None

    def test_delete_whatever_there_is(self, data: DataClient) -> None:
        data.create_user(user())
        [_] = race(lambda i: data.delete_user("1"))
        assert read(data) is None


def test_ping(data: DataClient) -> None:
    data.ping()


def race(act: Callable[[int], bool | None]) -> list[int]:
    """Run it RACERS times at once; the numbers of those that were neither refused nor found nothing to do."""
    ready = Barrier(RACERS)

    def wins(number: int) -> bool:
        ready.wait()
        try:
            return act(number) is not False
        except (UserExists, VersionConflict):
            return False

    with ThreadPoolExecutor(RACERS) as threads:
        return [number for number, won in enumerate(threads.map(wins, range(RACERS))) if won]
