"""A circuit breaker around a cache: while it fails, or refuses calls for its rate limit, nobody waits for it."""

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from app.cache import LIMIT_EXCEEDED, Cache, Lookup

FAILURES = 3
CIRCUIT_OPEN = "circuit_open"
PAUSE_SECONDS = 10
LIMIT_PAUSE_SECONDS = 1
"""A rate limit counts by the second, so a second later there is a new quota, which a longer pause would not use."""
PAUSES = {CIRCUIT_OPEN: PAUSE_SECONDS, LIMIT_EXCEEDED: LIMIT_PAUSE_SECONDS}


class CircuitBreaker:
    """Closed while the cache works. FAILURES failed lookups in a row open it for PAUSE_SECONDS. A lookup that the
    cache's rate limit refuses opens it for LIMIT_PAUSE_SECONDS, and is no failure, since the cache answers.

    While it is open every read is a miss, and nothing is filled. Then it lets one lookup through, and closes again if
    that succeeds. Invalidations always go through, or the old entries could be read after the pause.
    """

    def __init__(self, cache: Cache, now: Callable[[], float] = time.monotonic) -> None:
        self.name = cache.name
        self._cache = cache
        self._now = now
        self._lock = Lock()
        self._failures = 0
        self._open: str | None = None
        """Why it is open: CIRCUIT_OPEN or LIMIT_EXCEEDED; None: it is closed."""
        self._next_try = 0.0

    def get(self, keys: Sequence[str]) -> Lookup:
        if error := self._refusal():
            return Lookup(error=error)
        lookup = self._cache.get(keys)
        with self._lock:
            self._learn(lookup)
        return lookup

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        return self._open is None and self._cache.fill(entries)

    def invalidate(self, keys: Sequence[str]) -> None:
        self._cache.invalidate(keys)

    def close(self) -> None:
        """Also forget failures, which new connections may not have."""
        with self._lock:
            self._failures, self._open = 0, None
        self._cache.close()

    def _refusal(self) -> str | None:
        """The error of a lookup that must not ask the cache now; None if it may, like one of them after a pause."""
        with self._lock:
            if self._open is not None:
                if self._now() < self._next_try:
                    return self._open
                self._next_try = self._now() + PAUSES[self._open]
            return None

    def _learn(self, lookup: Lookup) -> None:
        if lookup.bypassed:  # not a sign of health or failure, so the next lookup may try
            self._next_try = self._now()
        elif lookup.error is None:
            self._failures, self._open = 0, None
        elif lookup.error == LIMIT_EXCEEDED:
            self._failures = 0
            self._pause(LIMIT_EXCEEDED)
        else:
            self._failures += 1
            if self._failures >= FAILURES:
                self._pause(CIRCUIT_OPEN)

    def _pause(self, why: str) -> None:
        self._open, self._next_try = why, self._now() + PAUSES[why]
