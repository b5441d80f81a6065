"""Queries that list a collection by id, from a cursor up to a limit."""

from collections.abc import Iterator
from itertools import islice
from typing import cast

from google.cloud.firestore_v1.types import Cursor, Document, StructuredQuery
from grpc import StatusCode

from local.cloud.common.grpc_server import StatusError
from local.cloud.gcp.firestore.documents import Documents


def run(documents: Documents, parent: str, query: StructuredQuery) -> Iterator[Document]:
    """Raises StatusError if the query uses anything else."""
    _check(query)
    collection = documents.collection(f"{parent}/{query.from_[0].collection_id}")
    found = (document for document in collection if _from_cursor(document.name, query.start_at))
    return islice(found, cast(int | None, query.limit))  # proto-plus unwraps the Int32Value


def _check(query: StructuredQuery) -> None:
    fields = [(order.field.field_path, order.direction) for order in query.order_by]
    unsupported = {
        "where": "where" in query,
        "order_by": fields not in ([], [("__name__", StructuredQuery.Direction.ASCENDING)]),
        "a collection group": query.from_[0].all_descendants,
        "end_at or end_before": "end_at" in query,
        "offset": query.offset,
        "find_nearest": "find_nearest" in query,
    }
    for name, asked in unsupported.items():
        if asked:
            raise StatusError(StatusCode.UNIMPLEMENTED, f"{name}: only Google's emulator has it")


def _from_cursor(name: str, cursor: Cursor) -> bool:
    if not cursor.values:
        return True
    start = cursor.values[0].reference_value
    return name >= start if cursor.before else name > start
