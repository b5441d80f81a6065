"""The laptop's Momento, seen through Momento's own client."""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import dataclasses
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from momento import CacheClient, Configurations, CredentialProvider
from momento.errors import MomentoErrorCode
from momento.responses import (
    CacheGet,
    CacheSet,
    CacheSetIfNotExists,
    CreateCache,
    DeleteCache,
    ListCaches,
)
from momento_wire_types import cacheclient_pb2 as data
from momento_wire_types import cacheclient_pb2_grpc as data_grpc

from local.cloud.momento import MAX_ITEM, OVER_QUOTA, MomentoServer

KEY = "the-key"
CACHE = "users"
MINUTE = timedelta(minutes=1)


@contextmanager
def connected(server: MomentoServer, api_key: str = KEY) -> Generator[CacheClient]:
    local = CredentialProvider.for_momento_local("127.0.0.1", server.port)
    credentials = dataclasses.replace(local, auth_token=api_key)
    with CacheClient(Configurations.Laptop.v1(), credentials, MINUTE) as client:
        yield client


@pytest.fixture(scope="module")
def server() -> Iterator[MomentoServer]:
    with MomentoServer(KEY) as running:
        yield running


@pytest.fixture
def client(server: MomentoServer) -> Iterator[CacheClient]:
    with connected(server) as client:
        assert isinstance(client.create_cache(CACHE), CreateCache.Success)
        yield client
        client.delete_cache(CACHE)


@pytest.fixture
def stub(server: MomentoServer) -> Iterator[Any]:
    """The wire protocol's own client: Momento's client for Python has no batches."""
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        bare = data_grpc.ScsStub(channel)
        metadata = [("authorization", KEY), ("cache", CACHE)]
        yield SimpleNamespace(
            GetBatch=partial(bare.GetBatch, metadata=metadata), SetBatch=partial(bare.SetBatch, metadata=metadata)
        )


def value(client: CacheClient, key: str = "k") -> bytes | None:
    answer = client.get(CACHE, key)
    assert isinstance(answer, CacheGet.Hit | CacheGet.Miss)
    return answer.value_bytes if isinstance(answer, CacheGet.Hit) else None


def test_a_value_is_a_hit_when_it_was_set(client: CacheClient) -> None:
    assert value(client) is None
    assert isinstance(client.set(CACHE, "k", b"\x00\xff"), CacheSet.Success)
    assert value(client) == b"\x00\xff"


def test_an_empty_value_is_a_hit(client: CacheClient) -> None:
    client.set(CACHE, "k", b"")
    assert value(client) == b""


def test_a_value_is_a_miss_when_its_time_is_over(client: CacheClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client.set(CACHE, "k", "v", ttl=timedelta(seconds=10))
    assert value(client) == b"v"
    later = time.monotonic() + 10
    monkeypatch.setattr("local.cloud.momento.time.monotonic", lambda: later)
    assert value(client) is None


def test_set_if_not_exists_stores_once(client: CacheClient) -> None:
    assert isinstance(client.set_if_not_exists(CACHE, "k", "first"), CacheSetIfNotExists.Stored)
    assert isinstance(client.set_if_not_exists(CACHE, "k", "second"), CacheSetIfNotExists.NotStored)
    assert value(client) == b"first"


def test_batches_are_answered_item_by_item_in_order(stub: Any, client: CacheClient) -> None:
    items = [data._SetRequest(cache_key=key, cache_body=key * 2, ttl_milliseconds=1000) for key in (b"a", b"b", b"c")]
    assert [answer.result for answer in stub.SetBatch(data._SetBatchRequest(items=items))] == [data.Ok] * 3
    keys = [b"c", b"absent", b"a", b"c"]
    request = data._GetBatchRequest(items=[data._GetRequest(cache_key=key) for key in keys])
    answers = [(answer.result, answer.cache_body) for answer in stub.GetBatch(request)]
    assert answers == [(data.Hit, b"cc"), (data.Miss, b""), (data.Hit, b"aa"), (data.Hit, b"cc")]


def test_a_bad_item_ends_the_batch(stub: Any, client: CacheClient) -> None:
    items = [data._SetRequest(cache_key=b"a", cache_body=b"1", ttl_milliseconds=ttl) for ttl in (1000, 0)]
    with pytest.raises(grpc.RpcError) as error:
        list(stub.SetBatch(data._SetBatchRequest(items=items)))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_ttl_is_at_most_24_hours(client: CacheClient) -> None:
    assert isinstance(client.set(CACHE, "k", "v", ttl=timedelta(hours=24)), CacheSet.Success)
    answer = client.set(CACHE, "k", "new", ttl=timedelta(hours=24, milliseconds=1))
    assert isinstance(answer, CacheSet.Error)
    assert answer.error_code == MomentoErrorCode.INVALID_ARGUMENT_ERROR
    assert value(client) == b"v"


def test_an_item_is_at_most_5_mb(client: CacheClient) -> None:
    assert isinstance(client.set(CACHE, "k", bytes(MAX_ITEM)), CacheSet.Success)
    answer = client.set(CACHE, "k", bytes(MAX_ITEM + 1))
    assert isinstance(answer, CacheSet.Error)
    assert answer.error_code == MomentoErrorCode.LIMIT_EXCEEDED_ERROR
    assert answer.message.startswith("Item size limit exceeded for this account")


def test_caches_are_created_listed_and_deleted(client: CacheClient) -> None:
    assert isinstance(client.create_cache(CACHE), CreateCache.CacheAlreadyExists)
    assert isinstance(client.create_cache("other"), CreateCache.Success)
    listed = client.list_caches()
    assert isinstance(listed, ListCaches.Success)
    assert [cache.name for cache in listed.caches] == ["other", "users"]

    client.set("other", "k", "v")
    assert value(client) is None

    assert isinstance(client.delete_cache("other"), DeleteCache.Success)
    for answer in client.get("other", "k"), client.delete_cache("other"):
        assert isinstance(answer, CacheGet.Error | DeleteCache.Error)
        assert answer.error_code == MomentoErrorCode.NOT_FOUND_ERROR


@pytest.mark.parametrize("key", ["", "another-key"])
def test_calls_without_the_key_are_refused(server: MomentoServer, client: CacheClient, key: str) -> None:
    with connected(server, key) as stranger:
        answers = [stranger.get(CACHE, "k"), stranger.create_cache("new"), stranger.list_caches()]
    for answer in answers:
        assert isinstance(answer, CacheGet.Error | CreateCache.Error | ListCaches.Error)
        assert answer.error_code == MomentoErrorCode.AUTHENTICATION_ERROR


def test_a_fault_answers_in_place_of_the_server(server: MomentoServer, client: CacheClient) -> None:
    def fault(method: str, context: grpc.ServicerContext) -> None:
        if method == "Get":
            context.set_trailing_metadata(OVER_QUOTA)
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "throttled")

    server.fault = fault
    try:
        answer = client.get(CACHE, "k")
        assert isinstance(answer, CacheGet.Error)
        assert answer.message.startswith("Request rate limit exceeded for this account")
        assert isinstance(client.set(CACHE, "k", "v"), CacheSet.Success)
    finally:
        server.fault = None
    assert value(client) == b"v"


def test_a_slow_request_holds_up_no_other(server: MomentoServer, client: CacheClient) -> None:
    waiting, release = threading.Event(), threading.Event()

    def fault(method: str, context: grpc.ServicerContext) -> None:
        if method == "Set":
            waiting.set()
            release.wait()

    server.fault = fault
    try:
        slow = threading.Thread(target=client.set, args=(CACHE, "k", "v"))
        slow.start()
        waiting.wait()
        assert value(client) is None
    finally:
        server.fault = None
        release.set()
    slow.join()
    assert value(client) == b"v"


def test_a_taken_port_is_an_error_and_a_stopped_server_frees_it(server: MomentoServer) -> None:
    with pytest.raises(RuntimeError, match=str(server.port)):
        MomentoServer(KEY, server.port)
    with MomentoServer(KEY) as first:
        port = first.port
    with MomentoServer(KEY, port) as second, connected(second) as client:
        assert isinstance(client.list_caches(), ListCaches.Success)
