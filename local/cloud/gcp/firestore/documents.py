"""The documents of all databases by resource name, and the writes that change them."""

import re
import time
from collections.abc import Iterable, MutableMapping
from typing import cast

from google.cloud.firestore_v1.field_path import parse_field_path
from google.cloud.firestore_v1.types import CommitResponse, Document, MapValue, Precondition, Value, Write, WriteResult
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from local.cloud.common.grpc_server import StatusError

# https://firebase.google.com/docs/firestore/quotas#limits
MAX_DOCUMENT = 2**20  # bytes
MAX_ID = 1500  # bytes
RESERVED_ID = re.compile(r"\.|\.\.|__.*__", re.DOTALL)

type Fields = MutableMapping[str, Value]


class Documents:
    """Stored documents are replaced, never changed, so readers may keep them."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._last_commit = 0

    def get(self, name: str) -> Document | None:
        check_name(name)
        return self._documents.get(name)

    def collection(self, path: str) -> list[Document]:
        """The documents directly in the collection, ordered by id."""
        return [self._documents[name] for name in sorted(self._documents) if name.rpartition("/")[0] == path]

    def now(self) -> Timestamp:
        """The current time in microseconds, like Firestore's, and always later than the previous result."""
        self._last_commit = max(self._last_commit + 1, time.time_ns() // 1000)
        now = Timestamp()
        now.FromMicroseconds(self._last_commit)
        return now

    def commit(self, writes: Iterable[Write]) -> CommitResponse:
        """Applies all writes; raises StatusError and applies none if one of them fails."""
        documents = self._documents.copy()
        now = self.now()
        results = [_apply(write, documents, now) for write in writes]
        self._documents = documents
        return CommitResponse(write_results=results, commit_time=now)

    def clear(self, parent: str) -> None:
        prefix = f"{parent}/"
        self._documents = {name: one for name, one in self._documents.items() if not name.startswith(prefix)}


def check_name(name: str) -> None:
    """Raises StatusError unless it is projects/P/databases/D/documents/COLLECTION/ID[/COLLECTION/ID...], ids valid."""
    match name.split("/"):
        case ["projects", project, "databases", database, "documents", *ids] if project and database:
            pass
        case _:
            raise StatusError(StatusCode.INVALID_ARGUMENT, f'Document name "{name}" is of no database')
    for id in ids:
        if not id or len(id.encode()) > MAX_ID or RESERVED_ID.fullmatch(id):
            raise StatusError(
                StatusCode.INVALID_ARGUMENT, f'Resource id "{id}" is invalid: it is empty, reserved or too long'
            )
    if not ids or len(ids) % 2:
        raise StatusError(StatusCode.INVALID_ARGUMENT, f'Document name "{name}" lacks an id at the end')


def project(document: Document, paths: Iterable[str]) -> Document:
    """The document with only the fields at these paths."""
    projected = Document(name=document.name, create_time=document.create_time, update_time=document.update_time)
    for path in paths:
        _copy_field(document.fields, projected.fields, path)
    return projected


def _apply(write: Write, documents: dict[str, Document], now: Timestamp) -> WriteResult:
    if "transform" in write or write.update_transforms:
        raise StatusError(StatusCode.UNIMPLEMENTED, "field transforms: only Google's emulator has them")
    name = write.delete or write.update.name
    check_name(name)
    old = documents.get(name)
    _check_precondition(write.current_document, name, old)
    if write.delete:
        documents.pop(name, None)
        return WriteResult()
    if "update_mask" in write:
        new = Document(old) if old else Document(name=name)
        for path in write.update_mask.field_paths:
            _copy_field(write.update.fields, new.fields, path)
    else:
        new = Document(name=name, fields=write.update.fields)
    size = len(Document.serialize(new))  # pyright: ignore[reportUnknownMemberType]
    if size > MAX_DOCUMENT:
        raise StatusError(StatusCode.INVALID_ARGUMENT, f'Document "{name}" has {size} bytes: at most {MAX_DOCUMENT}')
    new.create_time = old.create_time if old else now
    new.update_time = now
    documents[name] = new
    return WriteResult(update_time=now)


def _check_precondition(precondition: Precondition, name: str, old: Document | None) -> None:
    if "exists" in precondition:
        if precondition.exists and not old:
            raise StatusError(StatusCode.NOT_FOUND, f"No document to update: {name}")
        if old and not precondition.exists:
            raise StatusError(StatusCode.ALREADY_EXISTS, f"Document already exists: {name}")
    if "update_time" in precondition and not (old and old.update_time == precondition.update_time):
        raise StatusError(StatusCode.FAILED_PRECONDITION, f"Document is not at the required update_time: {name}")


def _copy_field(source: Fields, target: Fields, path: str) -> None:
    """Copies a field from the source to the target, or removes it if the source lacks it."""
    *parents, last = cast(list[str], parse_field_path(path))
    for parent in parents:
        source = source[parent].map_value.fields if parent in source else {}
    for parent in parents:
        if parent not in target or "map_value" not in target[parent]:
            if last not in source:
                return
            target[parent] = Value(map_value=MapValue())
        target = target[parent].map_value.fields
    if last in source:
        target[last] = source[last]
    else:
        target.pop(last, None)
