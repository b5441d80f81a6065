"""Conformance of every cache to the `Cache` protocol."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.cache import Cache, Lookup
from tests.app.caches import CACHES, NewCache


@pytest.fixture(params=CACHES)
def new_cache(request: pytest.FixtureRequest) -> Generator[NewCache]:
    with CACHES[request.param]() as new:
        yield new


@pytest.fixture
def cache(new_cache: NewCache) -> Cache:
    return new_cache()


def test_a_key_that_was_never_filled_is_a_miss(cache: Cache) -> None:
    assert cache.get(["a"]) == Lookup({}, None)


def test_filled_keys_are_hits_for_every_client(cache: Cache, new_cache: NewCache) -> None:
    assert cache.fill({"a": b"\x00\xff", "b": b"2"})
    assert new_cache().get(["a", "b", "c"]) == Lookup({"a": b"\x00\xff", "b": b"2"}, None)


def test_fill_does_not_write_over(cache: Cache) -> None:
    assert cache.fill({"a": b"1"})
    assert not cache.fill({"a": b"2", "b": b"2"})
    assert cache.get(["a", "b"]).hits == {"a": b"1", "b": b"2"}


def test_an_invalidated_key_is_a_miss_and_refuses_to_be_filled(cache: Cache, new_cache: NewCache) -> None:
    other = new_cache()
    cache.fill({"a": b"1", "b": b"1"})
    cache.invalidate(["a", "c"])
    assert not other.fill({"a": b"late"})
    assert not cache.fill({"c": b"late"})
    assert other.get(["a", "b", "c"]) == Lookup({"b": b"1"}, None)


def test_many_keys_are_invalidated_at_once(cache: Cache) -> None:
    cache.invalidate([f"key{number}" for number in range(1000)])
    assert not cache.fill({"key999": b"late"})


def test_no_keys(cache: Cache) -> None:
    assert cache.get([]) == Lookup(bypassed=True)
    assert not cache.fill({})
    cache.invalidate([])


def test_a_large_value(cache: Cache) -> None:
    assert cache.fill({"a": bytes(2**20)})
    assert cache.get(["a"]).hits == {"a": bytes(2**20)}


def test_threads_get_answers_to_their_own_keys(cache: Cache) -> None:
    def use(number: int) -> None:
        own = {f"{number}:{i}": b"%d:%d" % (number, i) for i in range(20)}
        assert cache.fill(own)
        assert cache.get(list(own)).hits == own
        cache.invalidate(list(own)[:10])

    with ThreadPoolExecutor(50) as threads:
        list(threads.map(use, range(100)))
    assert cache.fill({"a": b"1"})
    assert cache.get(["a"]).hits == {"a": b"1"}


def test_a_closed_client_connects_again(cache: Cache) -> None:
    cache.fill({"a": b"1"})
    cache.close()
    assert cache.get(["a"]).hits == {"a": b"1"}
