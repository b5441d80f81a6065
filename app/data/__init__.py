"""The store of users: one protocol, one file per implementation, picked in `app.bootstrap`."""

from collections.abc import Sequence
from typing import Protocol

from app.model import PublicUser, User


class DataError(Exception):
    """Whatever a `DataClient` raises.

    DataError
     ├ UserExists        the id is taken
     ├ VersionConflict   the stored version is not the expected one, or the user is gone
     └ StoreUnavailable  the store is down, slow, throttling or refusing; nothing is known about the user
    """


class UserExists(DataError):
    """The id is taken."""


class VersionConflict(DataError):
    """The stored version is not the expected one, or the user is gone."""


class StoreUnavailable(DataError):
    """The store did not answer in time, or refused. A write may or may not have happened."""


class DataClient(Protocol):
    """Users by id. Reads see every write that was acknowledged before them. Writes are atomic for one user."""

    name: str
    """The `upstream` of the metrics: dynamodb, firestore or memory."""

    def create_user(self, user: User) -> None:
        """Add a user. Raises UserExists; the same user with the same version again (a retry) is no error."""
        ...

    def get_user(self, user_id: str) -> User | None: ...

    def get_users(self, user_ids: Sequence[str]) -> dict[str, PublicUser]:
        """Those of the users that exist, without their pictures, in one round trip for each 100."""
        ...

    def list_users(self, limit: int, after: str | None = None) -> list[PublicUser]:
        """Up to `limit` users behind the id `after`, fewer only at the end. The order is the store's own and stable:
        a walk meets every user once, whatever is added meanwhile."""
        ...

    def replace_user(self, user: User, expected_version: str) -> None:
        """Write over the version that was read. Raises VersionConflict; repeating it is no error."""
        ...

    def delete_user(self, user_id: str, expected_version: str | None = None) -> bool:
        """Delete, and say whether there was a user. Raises VersionConflict when there is another version."""
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
