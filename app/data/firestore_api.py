"""Firestore's API (https://firebase.google.com/docs/firestore/reference/rpc), for the documents of one collection.

The library's higher-level `Client` is not used: it raises if a document contains a value that it cannot decode, such as
a reference into another project, and it resumes broken streams endlessly. Every method may raise GoogleAPIError or
GoogleAuthError.
"""

# google-cloud-firestore is partly typed, and its messages are untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any

import google.auth
import grpc
from google.api_core.retry import Retry
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.cloud.firestore_v1.types import BatchGetDocumentsResponse, RunQueryResponse

# https://github.com/grpc/grpc/blob/master/include/grpc/impl/channel_arg_names.h. The first three are the library's own;
# with the others an attempt to connect ends after 2 s, like a call, and a new one begins every second.
CHANNEL_OPTIONS = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)

type Documents = Iterator[tuple[str, Any]]
"""Ids with the message of each document, or None if it is missing, in order of arrival."""


class FirestoreApi:
    """Opens its own channel, at the first call. While Firestore cannot be reached, the library's channel pauses for up
    to two minutes between attempts to connect. All calls fail in that pause, and no option of the library shortens it.

    `emulator` is the host:port of Google's emulator, or empty; `timeout` is for each attempt, in seconds. Raises
    GoogleAuthError without credentials.
    """

    def __init__(self, project: str, database: str, collection: str, timeout: float, emulator: str) -> None:
        self._database = f"projects/{project}/databases/{database}"
        self._parent = f"{self._database}/documents"
        self._collection = collection
        self._emulator = emulator
        # At start-up, because it may ask the metadata server, which no call's timeout limits.
        self._credentials: Any = None if emulator else google.auth.default()[0]
        self._lock = Lock()
        self._client: FirestoreClient | None = None
        # google-cloud-firestore's `Client` sends this with every call.
        metadata = (("google-cloud-resource-prefix", self._database),)
        self._options: dict[str, Any] = {"timeout": timeout, "metadata": metadata}

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.transport.close()

    def name(self, document_id: str) -> str:
        return f"{self._parent}/{self._collection}/{document_id}"

    def get(self, ids: Sequence[str], fields: Sequence[str]) -> Documents:
        """These fields of the documents, strongly consistent."""
        request: Any = {
            "database": self._database,
            "documents": [self.name(id) for id in ids],
            "mask": {"field_paths": fields},
        }
        for answer in self._connected().batch_get_documents(request, retry=None, **self._options):
            message = BatchGetDocumentsResponse.pb(answer)
            yield (_id(message.missing), None) if message.missing else (_id(message.found.name), message.found)

    def list(self, limit: int, after: str | None, fields: Sequence[str]) -> Documents:
        """Up to `limit` documents after the id `after`, in order of their ids, strongly consistent."""
        query: Any = {
            "select": {"fields": [{"field_path": field} for field in fields]},
            "from_": [{"collection_id": self._collection}],
            "order_by": [{"field": {"field_path": "__name__"}, "direction": "ASCENDING"}],
            "limit": limit,
        }
        if after is not None:
            query["start_at"] = {"values": [{"reference_value": self.name(after)}], "before": False}
        request: Any = {"parent": self._parent, "structured_query": query}
        for answer in self._connected().run_query(request, retry=None, **self._options):
            message = RunQueryResponse.pb(answer)
            if message.HasField("document"):
                yield _id(message.document.name), message.document

    def commit(self, writes: Sequence[Any], retry: Retry) -> None:
        """Do all of the writes (google.firestore.v1.Write), or none."""
        self._connected().commit({"database": self._database, "writes": writes}, retry=retry, **self._options)

    def _connected(self) -> FirestoreClient:
        with self._lock:
            if self._client is None:
                self._client = FirestoreClient(transport=FirestoreGrpcTransport(channel=self._channel()))
            return self._client

    def _channel(self) -> grpc.Channel:
        if self._emulator:
            return grpc.insecure_channel(self._emulator, CHANNEL_OPTIONS)
        return FirestoreGrpcTransport.create_channel(credentials=self._credentials, options=CHANNEL_OPTIONS)


def plain(value: Any) -> object:
    """The str, bytes, list or None in a google.firestore.v1.Value; values of other types stay as they are."""
    match value.WhichOneof("value_type"):
        case "string_value":
            return value.string_value
        case "bytes_value":
            return value.bytes_value
        case "array_value":
            return [plain(each) for each in value.array_value.values]
        case "null_value":
            return None
        case _:
            return value


def _id(name: str) -> str:
    return name.rpartition("/")[2]
