"""A circuit breaker around a cache: after a few failures in a row, no read waits for the cache for a while."""

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from app.cache import Cache, Lookup

FAILURES = 3
PAUSE_SECONDS = 10


class CircuitBreaker:
    """Closed while the cache works. FAILURES failed lookups in a row open it for PAUSE_SECONDS, and every read is a
    miss. Then it lets one lookup through, and closes again if that succeeds.

    Invalidations always go through, or the old entries could be read after the pause.
    """

    def __init__(self, cache: Cache, now: Callable[[], float] = time.monotonic) -> None:
        self.name = cache.name
        self._cache = cache
        self._now = now
        self._lock = Lock()
        self._failures = 0
        self._closed_from = 0.0

    def get(self, keys: Sequence[str]) -> Lookup:
        if not self._may_ask():
            return Lookup(error="circuit_open")
        lookup = self._cache.get(keys)
        with self._lock:
            if lookup.bypassed:  # not a sign of health or failure, so the next lookup may try
                self._closed_from = self._now()
                return lookup
            self._failures = self._failures + 1 if lookup.error else 0
            if self._failures >= FAILURES:
                self._closed_from = self._now() + PAUSE_SECONDS
        return lookup

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        return self._cache.fill(entries)

    def invalidate(self, keys: Sequence[str]) -> None:
        self._cache.invalidate(keys)

    def close(self) -> None:
        self._cache.close()

    def _may_ask(self) -> bool:
        with self._lock:
            if self._failures < FAILURES:
                return True
            if self._now() < self._closed_from:
                return False
            self._closed_from = self._now() + PAUSE_SECONDS
            return True
