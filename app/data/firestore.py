"""Users in the Firestore collection `users`, in documents named by their ids. Reads are strongly consistent.

A picture is a field of its user's document, unlike in DynamoDB: Firestore bills documents, not bytes, and reads and
writes a part of a document by a mask. In a document of its own, a picture would be billed twice.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from google.api_core.exceptions import (
    Aborted,
    AlreadyExists,
    DeadlineExceeded,
    FailedPrecondition,
    GoogleAPIError,
    InternalServerError,
    NotFound,
    ResourceExhausted,
    ServiceUnavailable,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from msgspec import UNSET
from msgspec.structs import replace

from app.data import Stored, StoreUnavailable, UserExists, VersionConflict
from app.data.firestore_api import Documents, FirestoreApi, plain
from app.data.pace import LONGEST_PAGE, Pace
from app.data.records import FIELDS, to_picture, to_user
from app.data.timed import timed
from app.metrics import Metrics, Timing
from app.model import User

type Records = dict[str, Stored | None]
"""What is stored under each id."""

COLLECTION = "users"
PICTURE = "profile_pic"
MAX_BATCH_WRITE = 25  # of up to 256 KiB each; a request may have 10 MiB
ATTEMPT_TIMEOUT = 1.8  # seconds
LAST_ATTEMPT = 2.1  # seconds after which a write is not retried; a write that timed out is retried once
LONGEST_READ = ATTEMPT_TIMEOUT
LONGEST_WRITE = LAST_ATTEMPT + ATTEMPT_TIMEOUT + LONGEST_READ
"""Seconds, including the read that tells a conflict from an earlier attempt of this call, if its answer was lost."""

TRANSIENT = (Aborted, DeadlineExceeded, InternalServerError, ResourceExhausted, ServiceUnavailable)
RETRY = Retry(if_exception_type(*TRANSIENT), initial=0.1, maximum=1.0, multiplier=2.0, timeout=LAST_ATTEMPT)


class FirestoreDataClient:
    name = "firestore"

    def __init__(self, project: str, database: str, metrics: Metrics, emulator: str = "") -> None:
        """`emulator` is the host:port of Google's emulator, or empty."""
        self._api = FirestoreApi(project, database, COLLECTION, ATTEMPT_TIMEOUT, emulator)
        self._metrics = metrics

    def create_user(self, user: User) -> None:
        new = self._put(user) | {"current_document": {"exists": False}}
        if not self._write("Create", new) and not self._holds(user):
            raise UserExists(user.id)

    def get_user(self, user_id: str) -> Stored | None:
        return self._get("Get", [user_id], FIELDS)[user_id]

    def get_user_with_picture(self, user_id: str) -> User | None:
        stored = self._get("Get", [user_id], (*FIELDS, PICTURE))[user_id]
        user = stored and stored.user
        return replace(user, profile_pic=None) if user and user.profile_pic is UNSET else user

    def get_users(self, user_ids: Sequence[str]) -> dict[str, User]:
        return {user.id: user for user in _public(self._get("BatchGet", user_ids, FIELDS))}

    def list_users(self, limit: int, after: str | None = None) -> Iterator[User]:
        pace, size = Pace("firestore Query"), limit
        while limit > 0:
            records, error = self._round("Query", partial(self._api.list, size, after, FIELDS))
            users = _public(records)[:limit]
            yield from users
            limit -= len(users)
            after = next(reversed(records), after)
            if error:
                pace.after_round(bool(records), error, isinstance(error, DeadlineExceeded))
            elif len(records) < size:
                break
            else:
                size = min(2 * size, LONGEST_PAGE)

    def replace_user(self, user: User, revision: Any) -> None:
        new = self._put(user) | {"current_document": {"update_time": revision}}
        if user.profile_pic is UNSET:
            new["update_mask"] = {"field_paths": FIELDS}
        if not self._write("Update", new) and not self._holds(user):
            raise VersionConflict(user.id)

    def delete_user(self, user_id: str, revision: Any = None) -> bool:
        unchanged = {"exists": True} if revision is None else {"update_time": revision}
        if self._write("Delete", {"delete": self._api.name(user_id), "current_document": unchanged}):
            return True
        self._get("Get", [user_id], FIELDS)  # raises if the database is missing
        if revision is not None:
            raise VersionConflict(user_id)
        return False

    def put_users(self, users: Sequence[User]) -> None:
        for start in range(0, len(users), MAX_BATCH_WRITE):
            with self._call("BatchWrite", LONGEST_WRITE):
                self._api.commit([self._put(user) for user in users[start : start + MAX_BATCH_WRITE]], RETRY)

    def ping(self) -> None:
        self.get_user("-")

    def close(self) -> None:
        self._api.close()

    def _put(self, user: User) -> dict[str, Any]:
        return {"update": {"name": self._api.name(user.id), "fields": _fields(user)}}

    def _holds(self, user: User) -> bool:
        """Whether the store has this version already: an earlier attempt succeeded, but its answer was lost."""
        stored = self._get("Get", [user.id], FIELDS)[user.id]
        return stored is not None and stored.user is not None and stored.user.version == user.version

    def _write(self, operation: str, write: dict[str, Any]) -> bool:
        """Send one write; returns False if its precondition fails or the database is missing."""
        with self._call(operation, LONGEST_WRITE):
            try:
                self._api.commit([write], RETRY)
                return True
            except (AlreadyExists, FailedPrecondition, NotFound):
                return False

    def _get(self, operation: str, user_ids: Sequence[str], fields: Sequence[str]) -> Records:
        """These fields of what is stored under each of the ids."""
        waiting: list[str] = list(dict.fromkeys(user_ids))
        found = dict[str, Stored | None]()
        pace = Pace(f"firestore {operation}")
        while waiting:
            records, error = self._round(operation, partial(self._api.get, waiting, fields))
            found |= records
            waiting = [user_id for user_id in waiting if user_id not in found]
            if waiting:
                pace.after_round(bool(records), error, isinstance(error, DeadlineExceeded))
        return found

    def _round(self, operation: str, ask: Callable[[], Documents]) -> tuple[Records, GoogleAPIError | None]:
        """The records of one stream, and the error if it breaks and a new stream may succeed."""
        records, broken = dict[str, Stored | None](), None
        with self._call(operation, LONGEST_READ) as timing:
            try:
                for user_id, document in ask():
                    records[user_id] = document and Stored(_user(user_id, document), document.update_time)
            except TRANSIENT as error:
                broken, timing.outcome = error, "error"
            if unreadable := sum(stored is not None and stored.user is None for stored in records.values()):
                timing.fields["unreadable"] = unreadable
        return records, broken

    @contextmanager
    def _call(self, operation: str, longest: float) -> Generator[Timing]:
        """One measured round trip. Every failure raises StoreUnavailable, including a missing database."""
        call = f"firestore {operation}"
        try:
            with timed(self._metrics, self.name, operation, longest) as timing:
                yield timing
        except (GoogleAPIError, GoogleAuthError) as error:
            raise StoreUnavailable(f"{call}: {type(error).__name__}: {error}") from error


def _user(user_id: str, document: Any) -> User | None:
    """With the picture, if the document has one and it was asked for."""
    fields = {name: plain(value) for name, value in document.fields.items()}
    user = to_user(user_id, fields)
    return replace(user, profile_pic=to_picture(fields[PICTURE])) if user and PICTURE in fields else user


def _fields(user: User) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": {"string_value": user.name},
        "followers": {"array_value": {"values": [{"string_value": i} for i in user.followers]}},
        "version": {"string_value": user.version},
    }
    if user.profile_pic:
        fields[PICTURE] = {"bytes_value": user.profile_pic}
    return fields


def _public(records: Records) -> list[User]:
    return [stored.user for stored in records.values() if stored and stored.user]
