"""Momento Cache. The client is made at the first call: after gunicorn's fork, after SnapStart's restore."""

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Lock
from typing import Self
from urllib.parse import urlsplit

from momento import CacheClient, CredentialProvider
from momento.config import Configuration
from momento.config.transport.transport_strategy import StaticGrpcConfiguration, StaticTransportStrategy
from momento.errors import SdkException
from momento.responses import CacheGet, CacheResponse, CacheSetIfNotExists
from momento.responses.mixins import ErrorResponseMixin
from momento.retry import FixedCountRetryStrategy

from app.cache import INVALIDATION_SECONDS, Lookup
from app.metrics import Metrics, Timing
from app.secrets import SecretUnavailable
from app.settings import CacheSettings

DEADLINE = timedelta(milliseconds=200)
MAX_AT_ONCE = 100
# A key's value while it is invalidated: `fill` never replaces what is there.
INVALIDATED = b""

# The SDK warns about each error with the key in it; ours are counted instead.
logging.getLogger("momentosdk").setLevel(logging.CRITICAL)


class MomentoCache:
    """One connection, one deadline of 200 ms for each call, no retries: the store is as near."""

    name = "momento"

    def __init__(
        self, settings: CacheSettings, api_key: Callable[[], str], metrics: Metrics, deadline: timedelta = DEADLINE
    ) -> None:
        self._settings = settings
        self._ttl = timedelta(seconds=settings.ttl_seconds)
        self._api_key = api_key
        self._deadline = deadline
        self._metrics = metrics
        self._lock = Lock()
        self._client: CacheClient | None = None
        self._threads = ThreadPoolExecutor(MAX_AT_ONCE, thread_name_prefix="momento")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.__exit__(None, None, None)

    def get(self, keys: Sequence[str]) -> Lookup:
        with self._metrics.upstream(self.name, "Get") as timing:
            answers = self._together(keys, lambda client, key: client.get(self._settings.name, key), timing)
            values = {key: answer.value_bytes for key, answer in answers.items() if isinstance(answer, CacheGet.Hit)}
            hits = {key: value for key, value in values.items() if value != INVALIDATED}
            timing.counts = {"CacheHits": len(hits), "CacheMisses": len(keys) - len(hits)}
        return Lookup(hits, None if timing.outcome == "ok" else timing.outcome)

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        def store(client: CacheClient, key: str) -> CacheResponse:
            return client.set_if_not_exists(self._settings.name, key, entries[key], self._ttl)

        with self._metrics.upstream(self.name, "SetIfNotExists") as timing:
            answers = self._together(list(entries), store, timing)
        return all(isinstance(answers.get(key), CacheSetIfNotExists.Stored) for key in entries)

    def invalidate(self, keys: Sequence[str]) -> None:
        ttl = timedelta(seconds=INVALIDATION_SECONDS)
        with self._metrics.upstream(self.name, "Set") as timing:
            self._together(keys, lambda client, key: client.set(self._settings.name, key, INVALIDATED, ttl), timing)

    def _together(
        self, keys: Sequence[str], call: Callable[[CacheClient, str], CacheResponse], timing: Timing
    ) -> dict[str, CacheResponse]:
        """The good answers that came within the deadline, by key; `timing.outcome` is one word for what went wrong."""
        try:
            client = self._connected()
        except (SecretUnavailable, SdkException):
            timing.outcome = "unconfigured"
            return {}
        if len(keys) == 1:
            answers = {keys[0]: call(client, keys[0])}
        else:
            futures = {key: self._threads.submit(call, client, key) for key in keys}
            done, late = wait(futures.values(), self._deadline.total_seconds())
            if late:
                timing.outcome = "timeout"
            answers = {key: future.result() for key, future in futures.items() if future in done}
        for answer in answers.values():
            if isinstance(answer, ErrorResponseMixin):
                timing.outcome = answer.error_code.name.lower().removesuffix("_error")
        return answers

    def _connected(self) -> CacheClient:
        with self._lock:
            if self._client is None:
                self._client = CacheClient(
                    _configuration(self._deadline), _credentials(self._settings, self._api_key()), self._ttl
                )
            return self._client


def _configuration(deadline: timedelta) -> Configuration:
    # Not to ping Momento while Lambda sleeps; but with a keepalive gRPC has the kernel give up a peer that went silent.
    grpc = StaticGrpcConfiguration(
        deadline=deadline,
        keepalive_permit_without_calls=False,
        keepalive_time=timedelta(minutes=1),
        keepalive_timeout=timedelta(seconds=5),
    )
    return Configuration(StaticTransportStrategy(grpc), FixedCountRetryStrategy(max_attempts=0))


def _credentials(settings: CacheSettings, api_key: str) -> CredentialProvider:
    if "/" not in settings.endpoint:
        return CredentialProvider.from_api_key_v2(api_key, settings.endpoint)
    url = urlsplit(settings.endpoint)
    local = CredentialProvider.for_momento_local(url.hostname or "", url.port or 0)
    return dataclasses.replace(local, auth_token=api_key)
