"""The store of users: one protocol, one file per implementation, chosen in `app.bootstrap`."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from app.model import User


class DataError(Exception):
    """Base of what a `DataClient` raises.

    DataError
     ├ UserExists        the id is taken
     ├ VersionConflict   the stored user has changed since it was read
     └ StoreUnavailable  the store is down, slow, throttling or refusing
    """


class UserExists(DataError):
    """The id is taken."""


class VersionConflict(DataError):
    """The stored user has changed or is gone since it was read."""


class StoreUnavailable(DataError):
    """The store did not answer in time, or refused. A write may have happened or not."""


class Stored(NamedTuple):
    """What a store holds under an id, without the picture. `user` is None if it is not a valid user
    (app/data/records.py).

    `revision` is the store's own mark, and never None. A write with it raises VersionConflict if the stored user has
    changed.
    """

    user: User | None
    revision: Any


class DataClient(Protocol):
    """Users by id. Reads see every write that was acknowledged before them. The write of one user and its picture is
    atomic.

    Only `get_user_with_picture` reads pictures; the users of all other methods have none, and cost what they would cost
    without.

    Every method but `close` may raise StoreUnavailable; it does so without calling the store if too little time is left
    until the request's deadline (app/deadline.py).
    """

    name: str
    """The `upstream` of the metrics: dynamodb, firestore or memory."""

    def create_user(self, user: User) -> None:
        """Add a user. Raises UserExists, but not if the stored user has the same version (a retry)."""
        ...

    def get_user(self, user_id: str) -> Stored | None:
        """None if there is nothing under this id."""
        ...

    def get_user_with_picture(self, user_id: str) -> User | None:
        """The user and the picture that belongs to its version, in one round trip unless they are being written.

        None if there is no valid user.
        """
        ...

    def get_users(self, user_ids: Sequence[str]) -> dict[str, User]:
        """The users that exist and are valid, in one round trip per 100 ids."""
        ...

    def list_users(self, limit: int, after: str | None = None) -> Iterator[User]:
        """Up to `limit` users after the id `after`, fewer only at the end; invalid users are skipped.

        The order is the store's own and stable: a walk returns every user once, even if others are added during it.
        The iterator reads the store lazily.
        """
        ...

    def replace_user(self, user: User, revision: Any) -> None:
        """Replace the user that was read with `revision`, but keep the stored picture if the user's is UNSET.

        Raises VersionConflict, but not for a retry.
        """
        ...

    def delete_user(self, user_id: str, revision: Any = None) -> bool:
        """Delete the user with its picture, and return whether this call deleted it.

        Of several concurrent calls one returns True; none does if its answer is lost and the retry finds nothing. With
        a revision, raises VersionConflict if the stored user has another revision or is gone.
        """
        ...

    def put_users(self, users: Sequence[User]) -> None:
        """Write the users and pictures over any that are stored, in batches, each of them atomic."""
        ...

    def ping(self) -> None:
        """Raises StoreUnavailable unless the store answers."""
        ...

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        ...
