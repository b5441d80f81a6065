"""Users in the Firestore collection `users`; a document's id is the user's. Reads are strongly consistent."""

# google-cloud-firestore is typed in part.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from google.api_core.exceptions import AlreadyExists, FailedPrecondition, GoogleAPIError, NotFound
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore import DocumentReference, DocumentSnapshot

from app.data import StoreUnavailable, UserExists, VersionConflict
from app.data.firestore_client import ReconnectingClient
from app.metrics import Metrics
from app.model import PublicUser, User

type Snapshot = DocumentSnapshot[Any]

COLLECTION = "users"
PUBLIC_FIELDS = ["name", "followers", "version"]
MAX_BATCH_WRITE = 500
# A call gives up within 5 s: attempts of 2, the last of which begins before 3 are over.
ATTEMPT_TIMEOUT, LAST_ATTEMPT = 2.0, 3.0
LIMITS: dict[str, Any] = {
    "timeout": ATTEMPT_TIMEOUT,
    "retry": Retry(initial=0.1, maximum=1.0, multiplier=2.0, timeout=LAST_ATTEMPT),
}


class FirestoreDataClient:
    name = "firestore"

    def __init__(self, project: str, database: str, metrics: Metrics) -> None:
        self._metrics = metrics
        self._client = ReconnectingClient(project=project, database=database)
        self._users = self._client.collection(COLLECTION)

    def create_user(self, user: User) -> None:
        with self._call("Create"):
            try:
                self._document(user.id).create(_fields(user), **LIMITS)
                return
            except AlreadyExists:
                pass
        if self._version(self._snapshot(user.id)) != user.version:
            raise UserExists(user.id)

    def get_user(self, user_id: str) -> User | None:
        snapshot = self._snapshot(user_id)
        if not snapshot.exists:
            return None
        user = _public_user(snapshot)
        return User(
            id=user.id,
            name=user.name,
            followers=user.followers,
            version=user.version,
            profile_pic=snapshot.get("profile_pic"),
        )

    def get_users(self, user_ids: Sequence[str]) -> dict[str, PublicUser]:
        documents = [self._document(i) for i in dict.fromkeys(user_ids)]
        if not documents:
            return {}
        with self._call("BatchGet"):
            snapshots = list(self._client.get_all(documents, field_paths=PUBLIC_FIELDS, **LIMITS))
        return {s.id: _public_user(s) for s in snapshots if s.exists}

    def list_users(self, limit: int, after: str | None = None) -> list[PublicUser]:
        query = self._users.select(PUBLIC_FIELDS).order_by("__name__").limit(limit)
        if after is not None:
            query = query.start_after({"__name__": self._document(after)})
        with self._call("Query"):
            return [_public_user(s) for s in query.stream(**LIMITS)]

    def replace_user(self, user: User, expected_version: str) -> None:
        snapshot = self._snapshot(user.id)
        version = self._version(snapshot)
        if version == user.version:
            return
        if version != expected_version:
            raise VersionConflict(user.id)
        with self._call("Update"):
            try:
                self._document(user.id).update(_fields(user), option=self._unchanged(snapshot), **LIMITS)
                return
            except (FailedPrecondition, NotFound):
                pass
        if self._version(self._snapshot(user.id)) != user.version:
            raise VersionConflict(user.id)

    def delete_user(self, user_id: str, expected_version: str | None = None) -> bool:
        snapshot = self._snapshot(user_id)
        if not snapshot.exists:
            return False
        if expected_version not in (None, self._version(snapshot)):
            raise VersionConflict(user_id)
        with self._call("Delete"):
            try:
                option = None if expected_version is None else self._unchanged(snapshot)
                self._document(user_id).delete(option=option, **LIMITS)
                return True
            except (FailedPrecondition, NotFound):
                pass
        if self._snapshot(user_id).exists:
            raise VersionConflict(user_id)
        return True

    def put_users(self, users: Sequence[User]) -> None:
        for start in range(0, len(users), MAX_BATCH_WRITE):
            batch = self._client.batch()
            for user in users[start : start + MAX_BATCH_WRITE]:
                batch.set(self._document(user.id), _fields(user))
            with self._call("BatchWrite"):
                batch.commit(**LIMITS)

    def ping(self) -> None:
        self._snapshot("-")

    def close(self) -> None:
        self._client.close()

    def _document(self, user_id: str) -> DocumentReference:
        return self._users.document(user_id)

    def _snapshot(self, user_id: str) -> Snapshot:
        with self._call("Get"):
            return self._document(user_id).get(**LIMITS)

    def _unchanged(self, snapshot: Snapshot) -> Any:
        return self._client.write_option(last_update_time=snapshot.update_time)

    @staticmethod
    def _version(snapshot: Snapshot) -> str | None:
        return snapshot.get("version") if snapshot.exists else None

    @contextmanager
    def _call(self, operation: str) -> Generator[None]:
        """One measured round trip. What fails is StoreUnavailable, a missing database too."""
        try:
            with self._metrics.upstream(self.name, operation):
                yield
        except (GoogleAPIError, GoogleAuthError) as error:
            raise StoreUnavailable(f"firestore {operation}: {type(error).__name__}: {error}") from error


def _fields(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "followers": list(user.followers),
        "version": user.version,
        "profile_pic": user.profile_pic,
    }


def _public_user(snapshot: Snapshot) -> PublicUser:
    fields: dict[str, Any] = snapshot.to_dict() or {}
    return PublicUser(
        id=snapshot.id, name=fields["name"], followers=tuple(fields["followers"]), version=fields["version"]
    )
