"""Throttling of HTTP APIs: a token bucket for each route, with the limits from the stage's settings.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
"""

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any


class TokenBucket:
    """Allows `burst` requests at once, and `rate` more each second. Starts full."""

    def __init__(self, rate: float, burst: int, now: Callable[[], float]) -> None:
        self.limits = (rate, burst)
        self._now = now
        self._tokens = float(burst)
        self._filled_at = now()

    def take(self) -> bool:
        """Takes a token for one request; False if there is none."""
        rate, burst = self.limits
        now = self._now()
        self._tokens = min(burst, self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Throttle:
    """The buckets of all routes. `now` is in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: dict[Hashable, TokenBucket] = {}

    def admits(self, route: Hashable, settings: Mapping[str, Any]) -> bool:
        """Whether one more request may pass. Ignores the account's limits, which a laptop cannot reach."""
        if "throttlingRateLimit" not in settings or "throttlingBurstLimit" not in settings:
            return True
        limits = float(settings["throttlingRateLimit"]), int(settings["throttlingBurstLimit"])
        bucket = self._buckets.get(route)
        if bucket is None or bucket.limits != limits:
            bucket = self._buckets[route] = TokenBucket(*limits, self._now)
        return bucket.take()
