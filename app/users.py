"""The use cases. No cloud, no HTTP.

Cache-aside: reads go cache, store, `fill`; writes go `invalidate`, store, `invalidate`. A reader that read the store
before a write cannot put the old user back after it: an invalidated key refuses to be filled for INVALIDATION_SECONDS,
which is longer than a write (WRITE_SECONDS) and the time in which a reader may fill (FILL_SECONDS) together. So the
invalidation before the write is enough when the write's answer is lost, or the process ends with it; the one after it
serves those who read meanwhile. An old user can live in the cache, for CACHE_TTL_SECONDS at most, only when the cache
cannot be reached to invalidate, or when the network delivers a write or a fill long after its caller gave it up.
"""

import secrets
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import batched

import msgspec
from msgspec import UNSET

from app import deadline
from app.cache import Cache
from app.data import DataClient, Stored, UserExists, VersionConflict
from app.demo import demo_users
from app.model import PublicUser, User, UserInput

SCHEMA = 1
"""Of what the cache holds, beside each user. What has another, or cannot be read at all, is invalidated."""

WRITE_SECONDS = 6
"""What the store gets for a write."""
FILL_SECONDS = 5
"""How long after it began to read the store a reader may fill the cache with what it read."""
WRITTEN_AT_ONCE = 25

UNREADABLE = "\0"
"""The version of what is stored under an id and is no user. It equals no ETag."""

type Precondition = Callable[[str | None], None]
"""Raises if a write must not happen. It is given the version that is stored, None when nothing is."""


class UserNotFound(Exception):
    """No user has this id, or it has no picture. What is stored and cannot be read as a user is none."""


class NotAFollower(Exception):
    """Who is asking may not see the picture."""


@dataclass(frozen=True)
class CacheOutcome:
    """How the cache did for one read: `cache` is its name, `error` one word or None."""

    cache: str
    hits: int
    asked: int
    stored: bool
    error: str | None
    bypassed: bool


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

    def list(self, limit: int, after: str | None) -> Iterator[PublicUser]:
        """Up to `limit` users behind the id `after`; they are read while they are taken."""
        return self._data.list_users(limit, after)

    def put(self, new: UserInput, precondition: Precondition) -> tuple[User, bool]:
        """Replace the user or create it, and say whether it was created.

        Whoever writes between the read and the write is looked at again, as if the write had come before the read.
        """
        while True:
            stored = self._data.get_user(new.id)
            precondition(_version(stored))
            with suppress(UserExists, VersionConflict):
                if stored is None:
                    return self.create(new), True
                user = _user(new, stored.user and stored.user.profile_pic)
                with self._invalidated([user.id]):
                    self._data.replace_user(user, stored.revision)
                return user, False

    def delete(self, user_id: str, precondition: Precondition | None = None) -> None:
        """Raises UserNotFound. Of several deletions at the same time one succeeds."""
        while True:
            revision = None
            if precondition:
                stored = self._data.get_user(user_id)
                precondition(_version(stored))
                if stored is None:
                    raise UserNotFound(user_id)
                revision = stored.revision
            with suppress(VersionConflict):
                with self._invalidated([user_id]):
                    deleted = self._data.delete_user(user_id, revision)
                if not deleted:
                    raise UserNotFound(user_id)
                return

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
        for some in batched(users, WRITTEN_AT_ONCE, strict=False):
            with self._invalidated([user.id for user in some]):
                self._data.put_users(some)
        return len(users)

    def ready(self) -> None:
        """Raises StoreUnavailable unless the store answers; the cache may be down."""
        self._data.ping()

    def _get(self, user_id: str) -> User:
        stored = self._data.get_user(user_id)
        if stored is None or stored.user is None:
            raise UserNotFound(user_id)
        return stored.user

    def _load_whole(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        return {i: self._get(i) for i in user_ids}

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
            in_time = self._now() - started < FILL_SECONDS
            if read and in_time and lookup.error is None and not lookup.bypassed:
                entries = {_key(kind, i): msgspec.msgpack.encode((SCHEMA, user)) for i, user in read.items()}
                stored = self._cache.fill(entries)
        error = "garbage" if garbage else lookup.error
        return found, CacheOutcome(self._cache.name, hits, len(user_ids), stored, error, lookup.bypassed)

    @contextmanager
    def _invalidated(self, user_ids: Sequence[str]) -> Generator[None]:
        """Around a write of these users, whatever comes of it."""
        self._invalidate(user_ids)
        try:
            with deadline.within(WRITE_SECONDS):
                yield
        finally:
            self._invalidate(user_ids)

    def _invalidate(self, user_ids: Sequence[str]) -> None:
        self._cache.invalidate([_key(kind, i) for kind in ("user", "picture") for i in user_ids])


def _user(new: UserInput, old_picture: bytes | None) -> User:
    picture = old_picture if new.profile_pic is UNSET else new.profile_pic
    return User(id=new.id, name=new.name, followers=new.followers, profile_pic=picture, version=secrets.token_hex(8))


def _version(stored: Stored | None) -> str | None:
    if stored is None:
        return None
    return stored.user.version if stored.user else UNREADABLE


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
