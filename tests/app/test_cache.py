"""What `Cache` promises, on Momento; and that nothing that goes wrong with it is raised."""

import dataclasses
import io
import json
import socket
import threading

import grpc
import pytest

from app.cache import Lookup
from app.cache.momento import MomentoCache
from app.cache.none import NoCache
from app.metrics import Metrics
from app.secrets import SecretUnavailable
from app.settings import CacheSettings
from local.cloud.momento import MomentoServer
from tests.app.servers import MOMENTO_API_KEY

MANY = {f"key{i}": b"%d" % i for i in range(250)}


def test_a_key_that_was_never_filled_is_a_miss(cache: MomentoCache) -> None:
    assert cache.get(["a"]) == Lookup({}, None)


def test_filled_keys_are_hits_for_every_client(
    cache: MomentoCache, cache_settings: CacheSettings, metrics: Metrics
) -> None:
    assert cache.fill({"a": b"\x00\xff", "b": b"2"})
    with MomentoCache(cache_settings, lambda: MOMENTO_API_KEY, metrics) as other:
        assert other.get(["a", "b", "c"]) == Lookup({"a": b"\x00\xff", "b": b"2"}, None)


def test_fill_does_not_write_over(cache: MomentoCache) -> None:
    assert cache.fill({"a": b"1"})
    assert not cache.fill({"a": b"2", "b": b"2"})
    assert cache.get(["a", "b"]).hits == {"a": b"1", "b": b"2"}


def test_an_invalidated_key_is_a_miss_and_refuses_to_be_filled(cache: MomentoCache) -> None:
    cache.fill({"a": b"1", "b": b"1"})
    cache.invalidate(["a", "c"])
    assert not cache.fill({"a": b"late"})
    assert not cache.fill({"c": b"late"})
    assert cache.get(["a", "b", "c"]) == Lookup({"b": b"1"}, None)


def test_many_keys_at_once(cache: MomentoCache) -> None:
    assert cache.fill(MANY)
    assert cache.get(list(MANY)) == Lookup(MANY, None)


def test_no_keys(cache: MomentoCache) -> None:
    assert cache.get([]) == Lookup({}, None)


def test_no_cache() -> None:
    cache = NoCache()
    cache.invalidate(["a"])
    assert not cache.fill({"a": b"1"})
    assert cache.get(["a"]) == Lookup({}, None)


@pytest.mark.parametrize("keys", [["a"], ["a", "b", "c"]], ids=["one", "many"])
class TestFailures:
    def test_down(self, cache: MomentoCache, momento_server: MomentoServer, keys: list[str]) -> None:
        momento_server.stop()
        self.reads_as_a_miss(cache, keys, "server_unavailable")

    def test_slow(
        self, cache_settings: CacheSettings, metrics: Metrics, momento_server: MomentoServer, keys: list[str]
    ) -> None:
        released = threading.Event()

        def hold(method: str, context: grpc.ServicerContext) -> None:
            released.wait()

        momento_server.fault = hold
        with MomentoCache(cache_settings, lambda: MOMENTO_API_KEY, metrics) as cache:
            self.reads_as_a_miss(cache, keys, "timeout")
        released.set()

    def test_blackholed(self, cache_settings: CacheSettings, metrics: Metrics, keys: list[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
            unreached = dataclasses.replace(cache_settings, endpoint=endpoint)
            with MomentoCache(unreached, lambda: MOMENTO_API_KEY, metrics) as cache:
                self.reads_as_a_miss(cache, keys, "timeout")

    def test_wrong_key(self, cache_settings: CacheSettings, metrics: Metrics, keys: list[str]) -> None:
        with MomentoCache(cache_settings, lambda: "wrong", metrics) as cache:
            self.reads_as_a_miss(cache, keys, "authentication")

    def test_no_such_cache(self, cache_settings: CacheSettings, metrics: Metrics, keys: list[str]) -> None:
        gone = dataclasses.replace(cache_settings, name="gone")
        with MomentoCache(gone, lambda: MOMENTO_API_KEY, metrics) as cache:
            self.reads_as_a_miss(cache, keys, "not_found")

    @staticmethod
    def reads_as_a_miss(cache: MomentoCache, keys: list[str], error: str) -> None:
        assert cache.get(keys) == Lookup({}, error)
        assert not cache.fill(dict.fromkeys(keys, b"1"))
        cache.invalidate(keys)


def test_the_key_is_asked_for_at_the_first_call_until_it_comes(cache_settings: CacheSettings, metrics: Metrics) -> None:
    answers = iter([SecretUnavailable("no parameter"), MOMENTO_API_KEY])

    def api_key() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with MomentoCache(cache_settings, api_key, metrics) as cache:
        assert cache.get(["a"]).error == "unconfigured"
        assert cache.get(["a"]).error is None
        assert cache.get(["a"]).error is None


def test_a_v2_key_that_is_none_is_an_error_of_the_cache(metrics: Metrics) -> None:
    settings = CacheSettings(name="users", endpoint="cell-1.momentohq.com", ttl_seconds=1, api_key="nonsense")
    assert MomentoCache(settings, lambda: "nonsense", metrics).get(["a"]).error == "unconfigured"


def test_hits_misses_and_errors_are_measured(
    cache: MomentoCache, momento_server: MomentoServer, log: io.StringIO
) -> None:
    cache.fill({"a": b"1"})
    cache.get(["a", "b", "c"])
    momento_server.stop()
    cache.get(["a"])
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    measured = [
        (e["operation"], e["outcome"], e.get("CacheHits"), e.get("CacheMisses"), e["UpstreamErrors"]) for e in lines
    ]
    assert measured == [
        ("SetIfNotExists", "ok", None, None, 0),
        ("Get", "ok", 1, 2, 0),
        ("Get", "server_unavailable", 0, 1, 1),
    ]
    assert {line["upstream"] for line in lines} == {"momento"}
    assert MOMENTO_API_KEY not in log.getvalue()
