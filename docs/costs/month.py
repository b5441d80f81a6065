"""What a month asks of a stack: no requests at all, or the mix of ROUTES. Sizes are in KB of 1,024 bytes."""

from dataclasses import dataclass
from math import ceil

HOURS = 730
SECONDS = HOURS * 3600
DAYS = HOURS / 24
MB, GB = 1024, 1024**2
"""In KB. What AWS calls a GB is Google's GiB."""

REQUESTS, USERS = 10_000_000, 100_000
USER, PICTURE, ITEM_OVERHEAD = 1, 50, 0.1
FOLLOWERS = 50
PICTURED = 0.5
"""The share of the users that have a picture."""
NEW_PICTURES = 0.2
"""The share of the writes that bring a picture."""
MISSES = 0.2
"""The share of the keys that the cache does not have."""
INVALIDATIONS = 4
"""Keys of the cache that a write sets: the user's and the picture's, before and after it."""
MILLISECONDS = 25
"""How long a request takes."""
STARTS = 0.001
"""The share of the requests that start an instance."""
UPSTREAMS = 2
"""The store and the cache, as the app's metrics count them."""
ARCHIVE = 19 * MB


@dataclass(frozen=True)
class Route:
    """What a request needs: users that are read one by one or listed, pictures, users that are written or deleted, and
    keys that the cache is asked for, filled with so many KB, or invalidated.
    """

    api: str
    """As in the metrics' dimension API."""
    share: float
    answer: float
    """In KB."""
    reads: float = 0
    listed: float = 0
    pictures: float = 0
    writes: float = 0
    deletes: float = 0
    keys: float = 0
    filled: float = 0
    invalidated: float = 0


_MISSED = MISSES * (1 + FOLLOWERS)
ROUTES = (
    Route("GET:/users/{user_id}", 0.40, USER, reads=1),
    Route("GET:/cached-users/{user_id}", 0.20, USER, reads=MISSES, keys=1, filled=MISSES * USER),
    Route("GET:/followers/{user_id}", 0.10, 1, reads=1 + FOLLOWERS),
    Route("GET:/cached-followers/{user_id}", 0.05, 1, reads=_MISSED, keys=1 + FOLLOWERS, filled=_MISSED * USER),
    Route("GET:/profile-pic/{user_id}", 0.10, PICTURE, reads=1, pictures=1),
    Route(
        "GET:/cached-profile-pic/{user_id}",
        0.05,
        PICTURE,
        reads=MISSES,
        pictures=MISSES,
        keys=1,
        filled=MISSES * (USER + PICTURE),
    ),
    Route("GET:/users", 0.01, 100 * USER, listed=100),
    Route("PUT:/users/{user_id}", 0.07, USER, reads=1, writes=1, invalidated=INVALIDATIONS),
    Route("POST:/users", 0.01, USER, writes=1),
    Route("DELETE:/users/{user_id}", 0.01, 0, deletes=1, invalidated=INVALIDATIONS),
)


@dataclass(frozen=True)
class Usage:
    """So many requests in a month, in the mix of ROUTES, to a store with so many users."""

    requests: int
    users: int
    probed: bool = False
    """Whether Cloud Run probes an instance that it keeps."""

    def each(self, **weights: float) -> float:
        """A weighted sum of fields of the routes, over all requests: `each(reads=1, listed=1)`."""
        sums = (
            weight * sum(route.share * getattr(route, name) for route in ROUTES) for name, weight in weights.items()
        )
        return self.requests * sum(sums)

    def series(self, metric: str, dimension: str | None) -> int:
        """The time series of a metric of the app: one for each value of its dimension, if it has one."""
        apis = (len(ROUTES) if self.requests else 0) + self.probed
        upstreams = UPSTREAMS if self.requests else 0
        if metric.startswith("Cache"):
            return min(upstreams, 1)
        match dimension:
            case "API":
                return apis
            case "upstream":
                return upstreams
            case _:
                return min(apis, 1)

    @property
    def starts(self) -> float:
        return self.requests * STARTS

    @property
    def pictures(self) -> float:
        """Pictures in the store."""
        return self.users * PICTURED

    @property
    def cache_operations(self) -> float:
        return self.each(keys=1 + MISSES, invalidated=1)


IDLE, BUSY = Usage(0, 0), Usage(REQUESTS, USERS)


def read_units(kb: float) -> int:
    """DynamoDB's, for a strongly consistent read of an item."""
    return ceil(kb / 4)


def write_units(kb: float) -> int:
    """DynamoDB's, for a write or a delete of an item; a transaction takes twice as many. 0: there is no such item."""
    return max(1, ceil(kb))
