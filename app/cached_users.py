"""Users in the cache: cache-aside reads, and invalidation around writes.

Reads ask the cache, then the store, then fill the cache. Writes invalidate, write to the store, and invalidate again.

A reader that read the store before a write cannot put the old user back into the cache after it. An invalidated key
refuses to be filled for INVALIDATION_SECONDS, which is longer than a write (WRITE_SECONDS) and the time in which a
reader may fill the cache (FILL_SECONDS) together. So the invalidation before the write suffices even if the write's
answer is lost or the process dies with it; the one after it is for those who read in the meantime.

The cache can hold an old user, for CACHE_TTL_SECONDS at most, only if it cannot be reached to invalidate or refuses
both invalidations for its rate limit, or if the network delivers a write or a fill long after its caller gave up.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import msgspec

from app import deadline
from app.cache import Cache
from app.model import User

SCHEMA = 1
"""Version of the cached format, stored with each user. Entries of another version are invalidated."""

WRITE_SECONDS = 6
"""Time limit of a write to the store."""
FILL_SECONDS = 5
"""How long after it began to read the store a reader may fill the cache."""

type Kind = Literal["user", "picture"]
"""A `user` entry is a User without its picture, a `picture` entry one with it."""


@dataclass(frozen=True)
class CacheOutcome:
    """What the cache did for one read: `cache` is its name, `error` one word or None."""

    cache: str
    hits: int
    asked: int
    stored: bool
    error: str | None
    bypassed: bool


class CachedUsers:
    def __init__(self, cache: Cache, now: Callable[[], float] = time.monotonic) -> None:
        self._cache = cache
        self._now = now

    def read(
        self, kind: Kind, user_ids: Sequence[str], load: Callable[[Sequence[str]], Mapping[str, User]]
    ) -> tuple[Mapping[str, User], CacheOutcome]:
        """The users that exist, from the cache or else from the store through `load`.

        Takes one round trip to the cache, and if users are missing, one to the store for all of them and one to fill
        the cache with them. No key is named twice, also not to fill it when its garbage was invalidated.
        """
        ids = {_key(kind, user_id): user_id for user_id in user_ids}
        lookup = self._cache.get([*ids])
        decoded = {ids[key]: _decode(value) for key, value in lookup.hits.items()}
        users = {user_id: user for user_id, user in decoded.items() if user is not None}
        hits, stored, error = len(users), False, lookup.error
        if unreadable := [user_id for user_id, user in decoded.items() if user is None]:
            self._invalidate(unreadable)
            error = "garbage"
        if missing := [user_id for user_id in ids.values() if user_id not in users]:
            started = self._now()
            loaded = load(missing)
            users |= loaded
            if lookup.error is None and not lookup.bypassed:
                new = {user_id: user for user_id, user in loaded.items() if user_id not in unreadable}
                stored = self._fill(kind, new, started) and not unreadable
        return users, CacheOutcome(self._cache.name, hits, len(ids), stored, error, lookup.bypassed)

    @contextmanager
    def invalidated(self, user_ids: Sequence[str]) -> Generator[None]:
        """Invalidate these users before and after the block, which writes them; also if it raises."""
        self._invalidate(user_ids)
        try:
            with deadline.within(WRITE_SECONDS):
                yield
        finally:
            self._invalidate(user_ids)

    def _fill(self, kind: Kind, users: Mapping[str, User], started: float) -> bool:
        """Cache the users that were read from the store since `started`, unless that is too long ago."""
        if not users or self._now() - started >= FILL_SECONDS:
            return False
        return self._cache.fill({_key(kind, user_id): _encode(user) for user_id, user in users.items()})

    def _invalidate(self, user_ids: Sequence[str]) -> None:
        kinds: tuple[Kind, ...] = ("user", "picture")
        self._cache.invalidate([_key(kind, user_id) for kind in kinds for user_id in user_ids])


def _key(kind: Kind, user_id: str) -> str:
    return f"{kind}:{user_id}"


def _encode(user: User) -> bytes:
    return msgspec.msgpack.encode((SCHEMA, user))


def _decode(value: bytes) -> User | None:
    """The user, or None if the value is garbage or of another schema."""
    try:
        schema, raw = msgspec.msgpack.decode(value, type=tuple[int, msgspec.Raw])
        return msgspec.msgpack.decode(raw, type=User) if schema == SCHEMA else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
