"""The use cases. No cloud, no HTTP.

Cache-aside: reads go cache, store, `fill`; writes go store, `invalidate`. A reader that read the store before a write
cannot put the old user back after it: an invalidated key refuses to be filled for INVALIDATION_SECONDS, and whoever
began to read the store longer ago than half of that does not fill at all. When the cache cannot be reached to
invalidate, an old user can live in it for CACHE_TTL_SECONDS.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from app.cache import INVALIDATION_SECONDS, Cache
from app.data import DataClient, VersionConflict
from app.demo import demo_users
from app.model import PublicUser, User, UserInput

SCHEMA = 1
"""Of what the cache holds, beside each user. What has another, or cannot be read at all, is invalidated."""

type AcceptsVersion = Callable[[str], bool]


class UserNotFound(Exception):
    """No user has this id, or it has no picture."""


class NotAFollower(Exception):
    """Who is asking may not see the picture."""


class PreconditionFailed(Exception):
    """The user has another version by now, or is gone."""


@dataclass(frozen=True)
class CacheOutcome:
    """How the cache did for one read: `cache` is its name, `error` one word or None."""

    cache: str
    hits: int
    asked: int
    stored: bool
    error: str | None


class Users:
    """What can be done with users. Everything may raise StoreUnavailable."""

    def __init__(self, data: DataClient, cache: Cache, now: Callable[[], float] = time.monotonic) -> None:
        self._data = data
        self._cache = cache
        self._now = now

    def create(self, new: UserInput) -> User:
        """Raises UserExists."""
        user = _user(new, None)
        self._data.create_user(user)
        return user

    def get(self, user_id: str) -> PublicUser:
        """Raises UserNotFound."""
        return self._get(user_id)

    def get_cached(self, user_id: str) -> tuple[PublicUser, CacheOutcome]:
        """Raises UserNotFound."""
        found, outcome = self._read_public([user_id])
        return _only(user_id, found), outcome

    def list(self, limit: int, after: str | None) -> tuple[Sequence[PublicUser], str | None]:
        """A page behind the id `after`, and the id to go on behind, None at the end."""
        users = self._data.list_users(limit + 1, after)
        return users[:limit], users[limit - 1].id if len(users) > limit else None

    def replace(self, new: UserInput, accepts: AcceptsVersion) -> User:
        """Write over the version that the caller has seen. Raises PreconditionFailed."""
        old = self._data.get_user(new.id)
        if old is None or not accepts(old.version):
            raise PreconditionFailed(new.id)
        user = _user(new, old.profile_pic)
        try:
            self._data.replace_user(user, old.version)
        except VersionConflict:
            raise PreconditionFailed(new.id) from None
        self._invalidate([user.id])
        return user

    def delete(self, user_id: str, accepts: AcceptsVersion | None = None) -> None:
        """Raises UserNotFound; PreconditionFailed when there is a version that the caller does not accept."""
        expected = None
        if accepts is not None:
            expected = self._get(user_id).version
            if not accepts(expected):
                raise PreconditionFailed(user_id)
        try:
            found = self._data.delete_user(user_id, expected)
        except VersionConflict:
            raise PreconditionFailed(user_id) from None
        self._invalidate([user_id])
        if not found:
            raise UserNotFound(user_id)

    def followers(self, user_id: str) -> Sequence[str]:
        """The names of those followers that exist, in order. Two round trips. Raises UserNotFound."""
        user = self._get(user_id)
        return _names(user, self._data.get_users(user.followers))

    def followers_cached(self, user_id: str) -> tuple[Sequence[str], CacheOutcome]:
        """As `followers`, through the cache; the outcome is that of the followers."""
        found, outcome = self._read_public([user_id])
        user = _only(user_id, found)
        if not user.followers:
            return [], outcome
        followers, outcome = self._read_public(user.followers)
        return _names(user, followers), outcome

    def profile_pic(self, user_id: str, viewer: str | None) -> User:
        """The user with the picture, for the user and followers. Raises NotAFollower, UserNotFound."""
        return _visible(self._get(user_id), viewer)

    def profile_pic_cached(self, user_id: str, viewer: str | None) -> tuple[User, CacheOutcome]:
        """As `profile_pic`, through the cache."""
        found, outcome = self._read_through("picture", User, [user_id], self._load_whole)
        return _visible(_only(user_id, found), viewer), outcome

    def bootstrap(self) -> int:
        """Write the demo's users over whatever has their ids, and say how many they are."""
        users = [_user(new, None) for new in demo_users()]
        self._data.put_users(users)
        self._invalidate([user.id for user in users])
        return len(users)

    def ready(self) -> None:
        """Raises StoreUnavailable unless the store answers; the cache may be down."""
        self._data.ping()

    def _get(self, user_id: str) -> User:
        user = self._data.get_user(user_id)
        if user is None:
            raise UserNotFound(user_id)
        return user

    def _load_whole(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        return {i: user for i in user_ids if (user := self._data.get_user(i)) is not None}

    def _read_public(self, user_ids: Sequence[str]) -> tuple[Mapping[str, PublicUser], CacheOutcome]:
        return self._read_through("user", PublicUser, user_ids, self._data.get_users)

    def _read_through[T: PublicUser](
        self, kind: str, type: type[T], user_ids: Sequence[str], load: Callable[[Sequence[str]], Mapping[str, T]]
    ) -> tuple[Mapping[str, T], CacheOutcome]:
        """One round trip to the cache, one to the store for all that was missing, one to fill the cache with that."""
        lookup = self._cache.get([_key(kind, i) for i in user_ids])
        cached = {i: _decode(value, type) for i in user_ids if (value := lookup.hits.get(_key(kind, i))) is not None}
        found = {i: user for i, user in cached.items() if user is not None}
        garbage = [i for i, user in cached.items() if user is None]
        hits, stored = len(found), False
        if garbage:
            self._invalidate(garbage)
        if missing := [i for i in user_ids if i not in found]:
            started = self._now()
            read = load(missing)
            found |= read
            in_time = self._now() - started < INVALIDATION_SECONDS / 2
            entries = {_key(kind, i): msgspec.msgpack.encode((SCHEMA, user)) for i, user in read.items()}
            if entries and in_time and lookup.error is None:
                stored = self._cache.fill(entries)
        error = "garbage" if garbage else lookup.error
        return found, CacheOutcome(self._cache.name, hits, len(user_ids), stored, error)

    def _invalidate(self, user_ids: Sequence[str]) -> None:
        self._cache.invalidate([_key(kind, i) for kind in ("user", "picture") for i in user_ids])


def _user(new: UserInput, old_picture: bytes | None) -> User:
    picture = old_picture if new.profile_pic is UNSET else new.profile_pic
    return User(id=new.id, name=new.name, followers=new.followers, profile_pic=picture, version=secrets.token_hex(8))


def _only[T](user_id: str, found: Mapping[str, T]) -> T:
    if user_id not in found:
        raise UserNotFound(user_id)
    return found[user_id]


def _names(user: PublicUser, followers: Mapping[str, PublicUser]) -> Sequence[str]:
    return [followers[i].name for i in user.followers if i in followers]


def _visible(user: User, viewer: str | None) -> User:
    if viewer not in (user.id, *user.followers):
        raise NotAFollower(user.id)
    if user.profile_pic is None:
        raise UserNotFound(user.id)
    return user


def _key(kind: str, user_id: str) -> str:
    return f"{kind}:{user_id}"


def _decode[T: PublicUser](value: bytes, type: type[T]) -> T | None:
    """The user, None if it is garbage or has another schema."""
    try:
        schema, raw = msgspec.msgpack.decode(value, type=tuple[int, msgspec.Raw])
        return msgspec.msgpack.decode(raw, type=type) if schema == SCHEMA else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
