"""The calls to Momento, and that nothing that goes wrong with it is raised. What all caches promise: test_caches.py."""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false

import dataclasses
import io
import json
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest
from momento_wire_types import cacheclient_pb2 as wire
from momento_wire_types import cacheclient_pb2_grpc

from app.cache import LIMIT_EXCEEDED, Lookup
from app.cache.breaker import FAILURES, CircuitBreaker
from app.cache.momento import FILLS_AT_ONCE, MAX_KEYS, MomentoCache
from app.cache.none import NoCache
from app.metrics import Metrics
from app.secrets import SecretUnavailable
from app.settings import CacheSettings
from local.cloud import momento
from local.cloud.momento import OVER_QUOTA, MomentoServer
from tests.app.servers import MOMENTO_API_KEY

MANY = {f"key{i}": b"%d" % i for i in range(MAX_KEYS)}
TOO_MANY = {f"key{i}": b"%d" % i for i in range(1000)}


@pytest.fixture
def asked(momento_server: MomentoServer) -> list[str]:
    """The methods that the server is asked for, from now on."""
    methods: list[str] = []
    momento_server.fault = lambda method, context: methods.append(method)
    return methods


@pytest.fixture
def held(momento_server: MomentoServer) -> Generator[None]:
    """The server answers nothing."""
    over = threading.Event()

    def hold(method: str, context: grpc.ServicerContext) -> None:
        over.wait()

    momento_server.fault = hold
    yield
    over.set()


def outcomes(log: io.StringIO, operation: str | None = None) -> list[str]:
    """Those in the log, in order."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line["outcome"] for line in lines if operation in (None, line["operation"])]


@contextmanager
def halting_server(then: Callable[[grpc.ServicerContext], object] | None = None) -> Generator[str]:
    """A Momento that answers a batch's first item, and then does this or holds the rest; its endpoint."""
    over = threading.Event()

    class Halting(cacheclient_pb2_grpc.ScsServicer):
        def GetBatch(
            self, request: wire._GetBatchRequest, context: grpc.ServicerContext
        ) -> Iterator[wire._GetResponse]:
            yield wire._GetResponse(result=wire.Hit, cache_body=b"1")
            then(context) if then else over.wait()

    server = grpc.server(ThreadPoolExecutor(FAILURES + 1))
    cacheclient_pb2_grpc.add_ScsServicer_to_server(Halting(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        over.set()
        server.stop(grace=None).wait()


def test_many_keys_are_one_call_whose_answers_are_told_apart(cache: MomentoCache, asked: list[str]) -> None:
    for key, value in MANY.items():
        assert cache.fill({key: value})
    del asked[:]
    present = {key: MANY[key] for key in list(MANY)[1:]}
    assert cache.get([*present, "absent"]) == Lookup(present, None)
    assert asked == ["GetBatch"]


def test_many_entries_are_filled(cache: MomentoCache, asked: list[str]) -> None:
    assert cache.fill(MANY)
    assert asked == ["SetIfNotExists"] * len(MANY)
    assert cache.get(list(MANY)).hits == MANY


def test_more_keys_bypass_the_cache(cache: MomentoCache, asked: list[str], log: io.StringIO) -> None:
    breaker = CircuitBreaker(cache)
    for _ in range(FAILURES):
        assert breaker.get(list(TOO_MANY)) == Lookup(bypassed=True)
        assert not breaker.fill(TOO_MANY)
    assert (asked, log.getvalue()) == ([], "")
    assert breaker.get(["key1"]) == Lookup({}, None)


def test_an_invalidation_that_is_refused_in_its_answer_is_an_error(
    cache: MomentoCache, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> wire._SetResponse:
        return wire._SetResponse(result=wire.Invalid)

    monkeypatch.setattr(momento._Data, "Set", refuse)  # pyright: ignore[reportPrivateUsage]
    cache.invalidate(["a", "b"])
    line = json.loads(log.getvalue().splitlines()[-1])
    assert (line["operation"], line["outcome"], line["UpstreamErrors"]) == ("SetBatch", "refused", 1)


def test_an_invalidation_of_many_keys_is_one_call(cache: MomentoCache, asked: list[str]) -> None:
    cache.invalidate(list(TOO_MANY))
    assert asked == ["SetBatch"]
    assert not cache.fill({"key999": b"late"})


class TestSlow:
    """The server holds what it is asked."""

    @pytest.mark.usefixtures("shipped_deadline")
    def test_answers_in_time_count_and_are_no_failure(self, metrics: Metrics, log: io.StringIO) -> None:
        with halting_server() as endpoint, MomentoCache(CacheSettings("users", endpoint, 60), str, metrics) as cache:
            breaker = CircuitBreaker(cache)
            lookups = [breaker.get(["a", "b", "c"]) for _ in range(FAILURES + 1)]
        assert lookups == [Lookup({"a": b"1"}, None)] * (FAILURES + 1)
        assert [json.loads(line)["outcome"] for line in log.getvalue().splitlines()] == ["timeout"] * (FAILURES + 1)

    def test_an_invalidation_waits_behind_neither_reads_nor_fills(
        self, cache: MomentoCache, momento_server: MomentoServer, log: io.StringIO
    ) -> None:
        over, reads, fills = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)

        def hold(method: str, context: grpc.ServicerContext) -> None:
            if method != "SetBatch":
                (reads if method == "GetBatch" else fills).release()
                over.wait()

        def ask(call: Callable[[], object]) -> None:
            while not over.is_set():
                call()

        momento_server.fault = hold
        calls = [lambda: cache.get(list(MANY)), lambda: cache.fill(MANY)] * 8
        try:
            with ThreadPoolExecutor(len(calls)) as threads:
                for call in calls:
                    threads.submit(ask, call)
                for _ in range(8):
                    reads.acquire()
                for _ in range(20):
                    fills.acquire()
                cache.invalidate(["a"])
                over.set()
        finally:
            over.set()
            momento_server.fault = None
        assert outcomes(log, "SetBatch") == ["ok"]
        assert not cache.fill({"a": b"late"})

    @pytest.mark.usefixtures("shipped_deadline")
    def test_a_fill_that_was_given_up_is_never_carried_out(self, metrics: Metrics) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            settings = CacheSettings("users", f"http://127.0.0.1:{port}", 60)
            cache = MomentoCache(settings, lambda: MOMENTO_API_KEY, metrics)
            assert [cache.fill(MANY) for _ in range(3)] == [False] * 3
        asked: list[str] = []
        with cache, MomentoServer(MOMENTO_API_KEY, port) as server:
            server.fault = lambda method, context: asked.append(method)
            channel = cache._connected().channel
            grpc.channel_ready_future(channel).result()
            assert cache.get(["a"]).error == "not_found"
            assert asked == ["GetBatch"]
            cache.fill(MANY)
            assert "SetIfNotExists" in asked


def test_closing_while_calls_are_under_way_ends_them(cache: MomentoCache, log: io.StringIO) -> None:
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            cache.get(["a", "b"])
            cache.fill({"a": b"1", "b": b"2"})
            cache.invalidate(["c"])

    with ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(ask) for _ in range(8)]
        for _ in range(100):
            cache.close()
        over.set()
    for thread in asking:
        thread.result()
    assert set(outcomes(log)) <= {"ok", "cancelled"}
    assert cache.get(["a"]).error is None


def test_no_cache() -> None:
    cache = NoCache()
    cache.invalidate(["a"])
    assert not cache.fill({"a": b"1"})
    assert cache.get(["a"]) == Lookup(bypassed=True)


@pytest.mark.parametrize("keys", [["a"], ["a", "b", "c"]], ids=["one", "many"])
class TestFailures:
    def test_down(self, cache: MomentoCache, momento_server: MomentoServer, keys: list[str]) -> None:
        momento_server.stop()
        self.reads_as_a_miss(cache, keys, "server_unavailable")

    @pytest.mark.usefixtures("shipped_deadline")
    def test_slow(self, cache: MomentoCache, held: None, keys: list[str]) -> None:
        self.reads_as_a_miss(cache, keys, "timeout")

    @pytest.mark.usefixtures("shipped_deadline")
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


class TestLimits:
    """Momento refuses calls with RESOURCE_EXHAUSTED, and names the limit in the trailer `err` or in the details."""

    @staticmethod
    @contextmanager
    def refusing(server: MomentoServer, limit: str, details: str) -> Generator[list[str]]:
        """The server refuses everything; the methods that it is asked for."""
        asked: list[str] = []

        def refuse(method: str, context: grpc.ServicerContext) -> None:
            asked.append(method)
            if limit:
                context.set_trailing_metadata((("err", limit),))
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, details)

        server.fault = refuse
        yield asked
        server.fault = None

    @pytest.mark.parametrize(
        ("limit", "details"),
        [
            ("operations_rate_limit_exceeded", ""),
            ("throughput_rate_limit_exceeded", ""),
            ("", "Operations limit exceeded"),
            ("", "throughput limit exceeded"),
        ],
    )
    def test_a_rate_is_an_error_only_of_an_invalidation_which_leaves_old_entries_there(
        self, cache: MomentoCache, momento_server: MomentoServer, log: io.StringIO, limit: str, details: str
    ) -> None:
        with self.refusing(momento_server, limit, details):
            assert cache.get(["a", "b"]) == Lookup({}, LIMIT_EXCEEDED)
            assert not cache.fill({"a": b"1"})
            assert not cache.fill({"a": b"1", "b": b"2"})
            cache.invalidate(["a"])
        lines = [json.loads(line) for line in log.getvalue().splitlines()]
        assert [(line["operation"], line["UpstreamErrors"]) for line in lines] == [
            ("GetBatch", 0),
            ("SetIfNotExists", 0),
            ("SetIfNotExists", 0),
            ("SetBatch", 1),
        ]
        assert {(line["outcome"], line["limit"]) for line in lines} == {(LIMIT_EXCEEDED, limit or None)}

    @pytest.mark.parametrize("limit", ["item_size_limit_exceeded", "request_size_limit_exceeded", ""])
    def test_any_other_limit_is_an_error(
        self, cache: MomentoCache, momento_server: MomentoServer, log: io.StringIO, limit: str
    ) -> None:
        with self.refusing(momento_server, limit, "CLIENT: Received message larger than max"):
            assert cache.get(["a"]).error == "resource_exhausted"
        [line] = [json.loads(line) for line in log.getvalue().splitlines()]
        assert (line["outcome"], line["limit"], line["UpstreamErrors"]) == ("resource_exhausted", limit or None, 1)

    def test_an_item_that_is_too_large_is_an_error(self, cache: MomentoCache, log: io.StringIO) -> None:
        assert not cache.fill({"a": bytes(momento.MAX_ITEM + 1)})
        [line] = [json.loads(line) for line in log.getvalue().splitlines()]
        assert (line["limit"], line["UpstreamErrors"]) == ("item_size_limit_exceeded", 1)

    def test_a_batch_that_is_refused_halfway_has_its_hits_and_the_error(self, metrics: Metrics) -> None:
        def refuse(context: grpc.ServicerContext) -> None:
            context.set_trailing_metadata(OVER_QUOTA)
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "")

        with (
            halting_server(refuse) as endpoint,
            MomentoCache(CacheSettings("users", endpoint, 60), str, metrics) as cache,
        ):
            assert cache.get(["a", "b", "c"]) == Lookup({"a": b"1"}, LIMIT_EXCEEDED)

    def test_a_fill_that_is_refused_goes_on_with_nothing(
        self, cache: MomentoCache, momento_server: MomentoServer, log: io.StringIO
    ) -> None:
        with self.refusing(momento_server, "operations_rate_limit_exceeded", "") as asked:
            assert not cache.fill(MANY)
            assert 0 < len(asked) <= FILLS_AT_ONCE
        [line] = [json.loads(line) for line in log.getvalue().splitlines()]
        assert line["CacheOperations"] == len(asked)


def test_every_key_of_a_call_is_an_operation_of_the_quota(cache: MomentoCache, log: io.StringIO) -> None:
    cache.get(["a", "b", "c"])
    cache.fill({"a": b"1"})
    cache.fill({"a": b"1", "b": b"2"})
    cache.invalidate(["a", "b", "c", "d"])
    cache.get(list(TOO_MANY))
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["CacheOperations"] for line in lines] == [3, 1, 2, 4]


def test_without_a_key_nothing_is_asked(cache_settings: CacheSettings, metrics: Metrics, asked: list[str]) -> None:
    def unavailable() -> str:
        raise SecretUnavailable("no parameter")

    with MomentoCache(cache_settings, unavailable, metrics) as cache:
        TestFailures.reads_as_a_miss(cache, ["a"], "unconfigured")
    assert asked == []


@pytest.mark.parametrize("key", ["line\n", "\N{SNOWMAN}", "\udcff"], ids=ascii)
def test_a_key_that_fits_into_no_header_is_a_miss(cache_settings: CacheSettings, metrics: Metrics, key: str) -> None:
    with MomentoCache(cache_settings, lambda: key, metrics) as cache:
        assert cache.get(["a"]).hits == {}
        assert not cache.fill({"a": b"1"})
        assert not cache.fill({"a": b"1", "b": b"2"})
        cache.invalidate(["a"])


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
        ("GetBatch", "ok", 1, 2, 0),
        ("GetBatch", "server_unavailable", 0, 1, 1),
    ]
    assert {line["upstream"] for line in lines} == {"momento"}
    assert MOMENTO_API_KEY not in log.getvalue()
