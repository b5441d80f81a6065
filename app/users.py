"""The use cases. No cloud, no HTTP.

Cache-aside. Reads go cache, then store, then `fill`; writes go store, then `invalidate`. A reader that read the store
before a write cannot put the old user back after it: an invalidated key refuses to be filled for INVALIDATION_SECONDS,
and whoever read the store longer ago than half of that does not fill at all.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import UNSET

from app.cache import INVALIDATION_SECONDS, Cache
from app.data import DataClient, UserExists
from app.model import PublicUser, User, UserInput

CachedUser = tuple[Literal[1], PublicUser]
"""What the cache holds: the schema's number and the user. Anything else in there is invalidated."""


class UserNotFound(Exception):
    """No user has this id."""


@dataclass(frozen=True)
class CacheOutcome:
    """How the cache did for one request: `cache` is its name, `error` one word or None."""

    cache: str
    hits: int
    asked: int
    stored: bool
    error: str | None


class Users:
    """What can be done with users."""

    def __init__(self, data: DataClient, cache: Cache, now: Callable[[], float] = time.monotonic) -> None:
        self._data = data
        self._cache = cache
        self._now = now

    def create(self, new: UserInput) -> User:
        """Raises UserExists."""
        user = User(
            id=new.id,
            name=new.name,
            followers=new.followers,
            profile_pic=None if new.profile_pic is UNSET else new.profile_pic,
            version=_new_version(),
        )
        self._data.create_user(user)
        self._invalidate(user.id)
        return user

    def get(self, user_id: str) -> PublicUser:
        """From the store. Raises UserNotFound."""
        user = self._data.get_user(user_id)
        if user is None:
            raise UserNotFound(user_id)
        return user

    def get_cached(self, user_id: str) -> tuple[PublicUser, CacheOutcome]:
        """Through the cache. Raises UserNotFound."""
        found, outcome = self._read_through([user_id])
        if user_id not in found:
            raise UserNotFound(user_id)
        return found[user_id], outcome

    def ready(self) -> None:
        """Raises StoreUnavailable unless the store answers; the cache may be down."""
        self._data.ping()

    def _read_through(self, user_ids: list[str]) -> tuple[Mapping[str, PublicUser], CacheOutcome]:
        lookup = self._cache.get([_key(i) for i in user_ids])
        found: dict[str, PublicUser] = {}
        garbage: list[str] = []
        for user_id in user_ids:
            if (value := lookup.hits.get(_key(user_id))) is not None:
                try:
                    found[user_id] = msgspec.msgpack.decode(value, type=CachedUser)[1]
                except msgspec.MsgspecError:
                    garbage.append(user_id)
        hits, stored, started = len(found), False, self._now()
        if missing := [i for i in user_ids if i not in found]:
            read = self._data.get_users(missing)
            found |= read
            fresh = self._now() - started < INVALIDATION_SECONDS / 2
            fill = {_key(i): msgspec.msgpack.encode((1, user)) for i, user in read.items() if i not in garbage}
            if garbage:
                self._invalidate(*garbage)
            if fill and fresh and lookup.error is None:
                stored = self._cache.fill(fill)
        error = "garbage" if garbage else lookup.error
        return found, CacheOutcome(self._cache.name, hits, len(user_ids), stored, error)

    def _invalidate(self, *user_ids: str) -> None:
        self._cache.invalidate([_key(i) for i in user_ids])


def _key(user_id: str) -> str:
    return f"user:{user_id}"


def _new_version() -> str:
    return secrets.token_hex(8)


__all__ = ["CacheOutcome", "UserExists", "UserNotFound", "Users"]
