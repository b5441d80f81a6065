"""Momento Cache (Serverless), through the batch calls of its wire protocol, which Momento's Python SDK lacks.

Momento allows so many operations a second in an account's region, 100 on demand
(https://docs.momentohq.com/cache/limits), and each key of a call is one. The metric CacheOperations counts them.

GetBatch and SetBatch answer item by item, in the order of the request. Momento's SDKs for Go and JavaScript rely on it:
https://github.com/momentohq/client-sdk-go/blob/main/responses/get_batch.go
"""

# All of Momento's wire types begin with an underscore, and its stub is untyped.
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Semaphore
from typing import Any, Self
from urllib.parse import urlsplit

import grpc
from momento_wire_types import cacheclient_pb2 as wire
from momento_wire_types import cacheclient_pb2_grpc

from app.cache import INVALIDATION_SECONDS, LIMIT_EXCEEDED, Lookup
from app.metrics import Metrics, Timing
from app.secrets import SecretUnavailable
from app.settings import CacheSettings

DEADLINE = 0.2
"""Seconds for each call to the cache."""

MAX_KEYS = 100
"""Reads and fills of more keys bypass the cache: a lookup of 1,000 takes half of the deadline in processor time alone,
and uses ten seconds of Momento's on-demand quota of 100 operations per second."""

FILLS_AT_ONCE = 20
"""Concurrent calls of batch fills. Momento allows 100 per connection; this leaves one for each of 80 threads."""

INVALIDATED = b""
"""The value of an invalidated key, which `fill` does not replace, like any value."""

OPTIONS: list[tuple[str, int]] = [
    # Read batches in the calling thread instead of gRPC's, which saves a third of the processor time.
    ("SingleThreadedUnaryStream", 1),
    ("grpc.service_config_disable_resolution", 1),
    # No pings while idle: a frozen Lambda cannot answer. Keepalive itself stays on, since it makes gRPC set
    # TCP_USER_TIMEOUT and so detect a dead peer.
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 5_000),
]

OUTCOMES = {
    grpc.StatusCode.DEADLINE_EXCEEDED: "timeout",
    grpc.StatusCode.UNAVAILABLE: "server_unavailable",
    grpc.StatusCode.UNAUTHENTICATED: "authentication",
    grpc.StatusCode.PERMISSION_DENIED: "permission",
}
"""Outcomes of errors; of all other errors it is the name of gRPC's status."""


class MomentoCache:
    """One connection, opened by the first call, such as after gunicorn's fork, and again after SnapStart's restore.

    No retries: falling back to the store costs no more than a second try. When a method returns, its calls are answered
    or cancelled, so gRPC sends none of them later. Those already sent can still arrive.
    """

    name = "momento"

    def __init__(self, settings: CacheSettings, api_key: Callable[[], str], metrics: Metrics) -> None:
        """`api_key` must not block; it raises SecretUnavailable while the key is unknown."""
        self._settings = settings
        self._api_key = api_key
        self._metrics = metrics
        self._lock = Lock()
        self._connection: _Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancel running calls and close the connection; the next call opens a new one."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.channel.close()

    def get(self, keys: Sequence[str]) -> Lookup:
        """The hits that arrive within the deadline. It is an error if no answer arrives at all, or Momento's rate limit
        refuses any."""
        if not 0 < len(keys) <= MAX_KEYS:
            return Lookup(bypassed=True)
        request = wire._GetBatchRequest(items=[wire._GetRequest(cache_key=key.encode()) for key in keys])
        answers: list[wire._GetResponse] = []
        with self._metrics.upstream(self.name, "GetBatch", tolerated=(LIMIT_EXCEEDED,)) as timing:
            with _failures(timing):
                connection = self._connected()
                timing.counts["CacheOperations"] = len(keys)
                for answer in connection.stub.GetBatch(request, DEADLINE, connection.metadata):
                    answers.append(answer)
            values = {key: answer.cache_body for key, answer in zip(keys, answers, strict=False) if _is_hit(answer)}
            timing.counts |= {"CacheHits": len(values), "CacheMisses": len(keys) - len(values)}
        some = answers and timing.outcome != LIMIT_EXCEEDED
        return Lookup(values, None if some or timing.outcome == "ok" else timing.outcome)

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        """Stores nothing if there are more than MAX_KEYS entries. SetIfNotExists has no batch call."""
        if not 0 < len(entries) <= MAX_KEYS:
            return False
        ttl = self._settings.ttl_seconds * 1000
        requests = [
            wire._SetIfNotExistsRequest(cache_key=key.encode(), cache_body=value, ttl_milliseconds=ttl)
            for key, value in entries.items()
        ]
        with (
            self._metrics.upstream(self.name, "SetIfNotExists", tolerated=(LIMIT_EXCEEDED,)) as timing,
            _failures(timing),
        ):
            return self._connected().fill(requests, timing)
        return False

    def invalidate(self, keys: Sequence[str]) -> None:
        """A key that Momento does not set is an error, also by its rate limit: the old entry can still be read."""
        ttl = INVALIDATION_SECONDS * 1000
        items = [wire._SetRequest(cache_key=key.encode(), cache_body=INVALIDATED, ttl_milliseconds=ttl) for key in keys]
        with self._metrics.upstream(self.name, "SetBatch") as timing, _failures(timing):
            connection = self._connected()
            timing.counts["CacheOperations"] = len(keys)
            answers = connection.stub.SetBatch(wire._SetBatchRequest(items=items), DEADLINE, connection.metadata)
            if sum(answer.result == wire.Ok for answer in answers) < len(items):
                timing.outcome = "refused"

    def _connected(self) -> "_Connection":
        with self._lock:
            if self._connection is None:
                metadata = (("cache", self._settings.name), ("authorization", self._api_key()))
                self._connection = _Connection(_channel(self._settings.endpoint), metadata)
            return self._connection


@dataclass
class _Connection:
    channel: grpc.Channel
    metadata: tuple[tuple[str, str], ...]
    fills: Semaphore = field(default_factory=lambda: Semaphore(FILLS_AT_ONCE))

    def __post_init__(self) -> None:
        self.stub: Any = cacheclient_pb2_grpc.ScsStub(self.channel)

    def fill(self, requests: Sequence[wire._SetIfNotExistsRequest], timing: Timing) -> bool:
        """Raises grpc.RpcError or TimeoutError once every call has ended. After an error it begins no more calls."""
        if len(requests) == 1:  # in the calling thread, like batches
            timing.counts["CacheOperations"] = 1
            return self.stub.SetIfNotExists(requests[0], DEADLINE, self.metadata).HasField("stored")
        end = time.monotonic() + DEADLINE
        calls: list[Any] = []
        failed = Event()

        def ended(call: Any) -> None:
            if call.exception():
                failed.set()
            self.fills.release()

        for request in requests:
            if not self.fills.acquire(timeout=max(0, end - time.monotonic())):
                break
            if failed.is_set():
                self.fills.release()
                break
            call = self.stub.SetIfNotExists.future(request, end - time.monotonic(), self.metadata)
            call.add_done_callback(ended)
            calls.append(call)
        timing.counts["CacheOperations"] = len(calls)
        if errors := [error for call in calls if (error := call.exception())]:
            raise errors[0]
        if len(calls) < len(requests):
            raise TimeoutError
        return all(call.result().HasField("stored") for call in calls)


def _channel(endpoint: str) -> grpc.Channel:
    """A channel that connects on first use."""
    if "/" in endpoint:
        return grpc.insecure_channel(urlsplit(endpoint).netloc, OPTIONS)
    return grpc.secure_channel(f"cache.{endpoint}:443", grpc.ssl_channel_credentials(), OPTIONS)


def _is_hit(answer: wire._GetResponse) -> bool:
    return answer.result == wire.Hit and answer.cache_body != INVALIDATED


@contextmanager
def _failures(timing: Timing) -> Generator[None]:
    """Turns an exception into the timing's outcome, one word."""
    try:
        yield
    except SecretUnavailable:
        timing.outcome = "unconfigured"
    except TimeoutError:
        timing.outcome = "timeout"
    except grpc.RpcError as error:
        timing.outcome = OUTCOMES.get(error.code(), error.code().name.lower())
        if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
            trailers = {str(trailer.key): str(trailer.value) for trailer in error.trailing_metadata() or ()}
            timing.fields["limit"] = trailers.get("err")
            if _is_rate(trailers.get("err") or error.details() or ""):
                timing.outcome = LIMIT_EXCEEDED
    except ValueError:  # another thread closed the connection
        timing.outcome = "cancelled"


def _is_rate(limit: str) -> bool:
    """Whether this is a limit of operations or bytes per second, and not one of sizes.

    `limit` is Momento's trailer `err`, such as operations_rate_limit_exceeded. Where that is missing, its SDKs look for
    these words in the details of the error:
    https://github.com/momentohq/client-sdk-python/blob/main/src/momento/errors/exceptions.py
    """
    return "operations" in limit.lower() or "throughput" in limit.lower()
