"""The cache: one protocol, one file per implementation, chosen in `app.bootstrap`.

The app works without it. No method raises: an error is counted, and is a miss to the caller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

INVALIDATION_SECONDS = 12
"""How long an invalidated key refuses to be filled."""

LIMIT_EXCEEDED = "limit_exceeded"
"""The error of a call that a rate limit of the cache refused: the cache works, and has to be asked less often."""


@dataclass(frozen=True)
class Lookup:
    """The hits, and one word for what went wrong, if anything did (`error`: timeout, limit_exceeded, ...).

    If `bypassed`, the cache does not take these keys: it was not asked, and must not be filled.
    """

    hits: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    error: str | None = None
    bypassed: bool = False


class Cache(Protocol):
    """Bytes by key, for a limited time."""

    name: str
    """The name in `Cache-Status`, and the `upstream` of the metrics: momento or none."""

    def get(self, keys: Sequence[str]) -> Lookup:
        """Look up all keys in about one round trip, within one deadline."""
        ...

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        """Store the entries that are neither present nor recently invalidated. Returns whether all were stored."""
        ...

    def invalidate(self, keys: Sequence[str]) -> None:
        """Delete the keys, and refuse to `fill` them for INVALIDATION_SECONDS."""
        ...

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        ...
