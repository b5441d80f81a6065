"""The use cases, independent of clouds and HTTP."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import batched

from app.cache import Cache
from app.cached_users import CachedUsers, CacheOutcome
from app.data import DataClient, Stored, UserExists, VersionConflict
from app.demo import demo_users
from app.model import User, UserInput

WRITTEN_AT_ONCE = 10
"""Users whose write is one call, so that it ends within WRITE_SECONDS."""

UNREADABLE = "\0"
"""Stands for the version of a stored item that is not a user. It equals no ETag."""

type Precondition = Callable[[str | None], None]
"""Called with the stored version, or None if there is no item; raises if the write must not happen."""


class UserNotFound(Exception):
    """There is no such user. A stored item that is not a valid user counts as none."""


class PictureNotFound(UserNotFound):
    """The user has no picture."""


class NotAFollower(Exception):
    """The caller may not see the picture."""


class Users:
    """The use cases. Every method may raise StoreUnavailable."""

    def __init__(self, data: DataClient, cache: Cache, now: Callable[[], float] = time.monotonic) -> None:
        self._data = data
        self._cached = CachedUsers(cache, now)

    def create(self, new: UserInput) -> User:
        """Raises UserExists."""
        user = _user(new)
        self._data.create_user(user)
        return user

    def get(self, user_id: str) -> User:
        """Raises UserNotFound."""
        stored = self._data.get_user(user_id)
        if stored is None or stored.user is None:
            raise UserNotFound(user_id)
        return stored.user

    def get_cached(self, user_id: str) -> tuple[User, CacheOutcome]:
        """Raises UserNotFound."""
        found, outcome = self._read_public([user_id])
        return _only(user_id, found), outcome

    def list(self, limit: int, after: str | None) -> Iterator[User]:
        """Up to `limit` users after the id `after`, read lazily."""
        return self._data.list_users(limit, after)

    def put(self, new: UserInput, precondition: Precondition) -> tuple[User, bool]:
        """Replace or create the user; returns it and whether it was created.

        If another client writes between the read and the write, both are repeated.
        """
        while True:
            stored = self._data.get_user(new.id)
            precondition(_version(stored))
            with suppress(UserExists, VersionConflict):
                if stored is None:
                    return self.create(new), True
                user = _user(new)
                with self._cached.invalidated([user.id]):
                    self._data.replace_user(user, stored.revision)
                return user, False

    def delete(self, user_id: str, precondition: Precondition | None = None) -> None:
        """Raises UserNotFound. Of several concurrent deletions, one succeeds."""
        while True:
            revision = None
            if precondition:
                stored = self._data.get_user(user_id)
                if stored is None:  # RFC 9110, 13.2.1: then preconditions do not count
                    raise UserNotFound(user_id)
                precondition(_version(stored))
                revision = stored.revision
            with suppress(VersionConflict):
                with self._cached.invalidated([user_id]):
                    deleted = self._data.delete_user(user_id, revision)
                if not deleted:
                    raise UserNotFound(user_id)
                return

    def followers(self, user_id: str) -> Sequence[str]:
        """The names of the followers that exist, in order; two round trips. Raises UserNotFound."""
        user = self.get(user_id)
        return _names(user, self._data.get_users(user.followers))

    def followers_cached(self, user_id: str) -> tuple[Sequence[str], CacheOutcome]:
        """Like `followers`, through the cache. The outcome is of the lookup of the other users, if there are any."""
        found, outcome = self._read_public([user_id])
        user = _only(user_id, found)
        others = [follower for follower in user.followers if follower != user_id]
        if not others:
            return _names(user, found), outcome
        followers, outcome = self._read_public(others)
        return _names(user, {**found, **followers}), outcome

    def profile_pic(self, user_id: str, viewer: str | None) -> User:
        """The user with its picture, if `viewer` is the user or a follower. Raises NotAFollower, UserNotFound."""
        return _visible(_only(user_id, self._get_with_pictures([user_id])), viewer)

    def profile_pic_cached(self, user_id: str, viewer: str | None) -> tuple[User, CacheOutcome]:
        """Like `profile_pic`, through the cache."""
        found, outcome = self._cached.read("picture", [user_id], self._get_with_pictures)
        return _visible(_only(user_id, found), viewer), outcome

    def bootstrap(self) -> int:
        """Write the demo users over any users with their ids; returns how many there are."""
        users = [_user(new) for new in demo_users()]
        for batch in batched(users, WRITTEN_AT_ONCE, strict=False):
            with self._cached.invalidated([user.id for user in batch]):
                self._data.put_users(batch)
        return len(users)

    def ready(self) -> None:
        """Raises StoreUnavailable unless the store answers. The cache does not matter."""
        self._data.ping()

    def _get_with_pictures(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        users = map(self._data.get_user_with_picture, user_ids)
        return {user.id: user for user in users if user}

    def _read_public(self, user_ids: Sequence[str]) -> tuple[Mapping[str, User], CacheOutcome]:
        return self._cached.read("user", user_ids, self._data.get_users)


def _user(new: UserInput) -> User:
    return User(
        id=new.id,
        name=new.name,
        followers=new.followers,
        profile_pic=new.profile_pic,
        version=secrets.token_hex(8),
    )


def _version(stored: Stored | None) -> str | None:
    if stored is None:
        return None
    return stored.user.version if stored.user else UNREADABLE


def _only[T](user_id: str, found: Mapping[str, T]) -> T:
    if user_id not in found:
        raise UserNotFound(user_id)
    return found[user_id]


def _names(user: User, followers: Mapping[str, User]) -> Sequence[str]:
    return [followers[i].name for i in user.followers if i in followers]


def _visible(user: User, viewer: str | None) -> User:
    if viewer not in (user.id, *user.followers):
        raise NotAFollower(user.id)
    if not user.profile_pic:
        raise PictureNotFound(user.id)
    return user
