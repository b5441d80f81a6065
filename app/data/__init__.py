"""The store of users: one protocol, one file per implementation, picked in `app.bootstrap`."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from app.model import PublicUser, User


class DataError(Exception):
    """Whatever a `DataClient` raises.

    DataError
     ├ UserExists        the id is taken
     ├ VersionConflict   somebody else wrote meanwhile
     └ StoreUnavailable  the store is down, slow, throttling or refusing; nothing is known about the user
    """


class UserExists(DataError):
    """The id is taken."""


class VersionConflict(DataError):
    """Somebody else wrote meanwhile: what is stored is not what was read, or is gone."""


class StoreUnavailable(DataError):
    """The store did not answer in time, or refused. A write may or may not have happened."""


class Stored(NamedTuple):
    """What a store holds under an id. `user` is None when it cannot be read as one (app/data/records.py).

    `revision` is the store's own: given to a write, it makes that a VersionConflict unless nobody wrote meanwhile.
    """

    user: User | None
    revision: Any


class DataClient(Protocol):
    """Users by id. Reads see every write that was acknowledged before them. Writes are atomic for one user.

    Everything but `close` may raise StoreUnavailable, and does so before it asks the store for anything when the
    deadline of the request (app/deadline.py) is too near.
    """

    name: str
    """The `upstream` of the metrics: dynamodb, firestore or memory."""

    def create_user(self, user: User) -> None:
        """Add a user. Raises UserExists; the same user with the same version again (a retry) is no error."""
        ...

    def get_user(self, user_id: str) -> Stored | None:
        """None when there is nothing under this id."""
        ...

    def get_users(self, user_ids: Sequence[str]) -> dict[str, PublicUser]:
        """Those of the users that exist and can be read, without their pictures, in one round trip for each 100."""
        ...

    def list_users(self, limit: int, after: str | None = None) -> Iterator[PublicUser]:
        """Up to `limit` users behind the id `after`, fewer only at the end. The order is the store's own and stable:
        a walk meets every user once, whatever is added meanwhile. What cannot be read is skipped.

        The store is read while the users are taken, as far as they are."""
        ...

    def replace_user(self, user: User, revision: Any) -> None:
        """Write over what was read. Raises VersionConflict; repeating it is no error."""
        ...

    def delete_user(self, user_id: str, revision: Any = None) -> bool:
        """Delete what was read, or whatever there is, and say whether it was this call that did so: of several at the
        same time one does, or none if its answer is lost and a retry finds nothing. Raises VersionConflict when there
        is a revision, and what is stored has another or is gone."""
        ...

    def put_users(self, users: Sequence[User]) -> None:
        """Write over whatever is there, many at a time; not atomic."""
        ...

    def ping(self) -> None:
        """Raise StoreUnavailable unless the store answers."""
        ...

    def close(self) -> None:
        """Let go of all connections; the next call makes others."""
        ...
