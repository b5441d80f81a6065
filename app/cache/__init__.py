"""The cache: one protocol, one file per implementation, picked in `app.bootstrap`.

A cache is never load-bearing. No method raises: what goes wrong is counted, and reads as a miss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

INVALIDATION_SECONDS = 12
"""How long an invalidated key refuses to be filled."""


@dataclass(frozen=True)
class Lookup:
    """What was found, and why nothing could be (`error` is one word: timeout, unavailable, ...).

    `bypassed` says that the cache does not take these keys: it was not asked, and is not to be filled.
    """

    hits: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    error: str | None = None
    bypassed: bool = False


class Cache(Protocol):
    """Bytes by key, for a limited time."""

    name: str
    """Name in `Cache-Status`, and `upstream` of the metrics: momento or none."""

    def get(self, keys: Sequence[str]) -> Lookup:
        """All keys in about one round trip, and within one deadline."""
        ...

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        """Store the entries whose key is neither present nor invalidated lately; True when all were stored."""
        ...

    def invalidate(self, keys: Sequence[str]) -> None:
        """Forget the keys, and refuse to `fill` them for INVALIDATION_SECONDS."""
        ...

    def close(self) -> None:
        """Let go of all connections; the next call makes others."""
        ...
