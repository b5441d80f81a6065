"""Users in the memory of this process, for `flask run` and tests."""

from collections.abc import Iterator, Sequence
from threading import Lock

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from app.data import Stored, UserExists, VersionConflict
from app.model import User


class MemoryDataClient:
    name = "memory"

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._lock = Lock()

    def create_user(self, user: User) -> None:
        with self._lock:
            old = self._users.setdefault(user.id, _with_picture(user, None))
        if old.version != user.version:
            raise UserExists(user.id)

    def get_user(self, user_id: str) -> Stored | None:
        with self._lock:
            user = self._users.get(user_id)
        return user and Stored(_without_picture(user), user.version)

    def get_user_with_picture(self, user_id: str) -> User | None:
        with self._lock:
            return self._users.get(user_id)

    def get_users(self, user_ids: Sequence[str]) -> dict[str, User]:
        with self._lock:
            return {i: _without_picture(self._users[i]) for i in user_ids if i in self._users}

    def list_users(self, limit: int, after: str | None = None) -> Iterator[User]:
        with self._lock:
            ids = sorted(i for i in self._users if after is None or i > after)[:limit]
            return iter([_without_picture(self._users[i]) for i in ids])

    def replace_user(self, user: User, revision: str) -> None:
        with self._lock:
            old = self._users.get(user.id)
            if old is None or old.version not in (revision, user.version):
                raise VersionConflict(user.id)
            self._users[user.id] = _with_picture(user, old.profile_pic)

    def delete_user(self, user_id: str, revision: str | None = None) -> bool:
        with self._lock:
            old = self._users.get(user_id)
            if revision is not None and (old is None or old.version != revision):
                raise VersionConflict(user_id)
            return self._users.pop(user_id, None) is not None

    def put_users(self, users: Sequence[User]) -> None:
        with self._lock:
            self._users.update({u.id: _with_picture(u, None) for u in users})

    def ping(self) -> None:
        pass

    def close(self) -> None:
        pass


def _without_picture(user: User) -> User:
    return replace(user, profile_pic=UNSET)


def _with_picture(user: User, old: bytes | UnsetType | None) -> User:
    return replace(user, profile_pic=old) if user.profile_pic is UNSET else user
