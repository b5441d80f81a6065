"""The built-in Firestore: a small gRPC server for google.firestore.v1, used if Google's emulator is not installed.

It supports the calls with which google-cloud-firestore gets, creates, sets, updates and deletes documents (with
preconditions and in batches) and lists a collection by id. It answers all others with UNIMPLEMENTED.
https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1
"""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    CommitRequest,
    CommitResponse,
    RunQueryRequest,
    RunQueryResponse,
)

from local.cloud.common.grpc_server import GrpcServer
from local.cloud.gcp.firestore.documents import Documents, project
from local.cloud.gcp.firestore.query import run


class FirestoreServer(GrpcServer):
    """Firestore in memory. Every project and database exists, and is empty at first."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self._documents = Documents()
        stream, unary = grpc.unary_stream_rpc_method_handler, grpc.unary_unary_rpc_method_handler
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "BatchGetDocuments": _method(
                stream, self._batch_get_documents, BatchGetDocumentsRequest, BatchGetDocumentsResponse
            ),
            "RunQuery": _method(stream, self._run_query, RunQueryRequest, RunQueryResponse),
            "Commit": _method(unary, self._commit, CommitRequest, CommitResponse),
        }
        handler = grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", methods)
        self.server.add_generic_rpc_handlers((handler,))

    def clear(self, project: str, database: str = "(default)") -> None:
        """Empties one database."""
        self._documents.clear(f"projects/{project}/databases/{database}/documents")

    def _batch_get_documents(
        self, request: BatchGetDocumentsRequest, context: grpc.ServicerContext
    ) -> Iterator[BatchGetDocumentsResponse]:
        now = self._documents.now()
        for name in request.documents:
            document = self._documents.get(name)
            if document is None:
                yield BatchGetDocumentsResponse(missing=name, read_time=now)
            else:
                found = project(document, request.mask.field_paths) if "mask" in request else document
                yield BatchGetDocumentsResponse(found=found, read_time=now)

    def _run_query(self, request: RunQueryRequest, context: grpc.ServicerContext) -> Iterator[RunQueryResponse]:
        query = request.structured_query
        now = self._documents.now()
        yield RunQueryResponse(read_time=now)
        paths = [field.field_path for field in query.select.fields]
        for document in run(self._documents, request.parent, query):
            found = project(document, paths) if "select" in query else document
            yield RunQueryResponse(document=found, read_time=now)

    def _commit(self, request: CommitRequest, context: grpc.ServicerContext) -> CommitResponse:
        return self._documents.commit(request.writes)


def _method(shape: Callable[..., Any], answer: Callable[..., Any], request: type[Any], response: type[Any]) -> Any:
    return shape(answer, request.deserialize, response.serialize)
