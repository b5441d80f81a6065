"""The gRPC methods of google.firestore.v1.Firestore that the laptop has."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    BeginTransactionRequest,
    BeginTransactionResponse,
    CommitRequest,
    CommitResponse,
    Document,
    RollbackRequest,
    RunQueryRequest,
    RunQueryResponse,
)
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from local.cloud.firestore.documents import Documents, project
from local.cloud.firestore.query import run
from local.cloud.grpc_server import GrpcServer, StatusError

type Versions = list[tuple[str, Timestamp] | None]
type Read = Callable[[], list[Document | None]]


class FirestoreServer(GrpcServer):
    """Firestore in memory: every project and database that a client names is there and empty."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self._documents = Documents()
        self._transactions: dict[bytes, list[tuple[Read, Versions]]] = {}
        stream, unary = grpc.unary_stream_rpc_method_handler, grpc.unary_unary_rpc_method_handler
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "BatchGetDocuments": _method(
                stream, self._batch_get_documents, BatchGetDocumentsRequest, BatchGetDocumentsResponse
            ),
            "RunQuery": _method(stream, self._run_query, RunQueryRequest, RunQueryResponse),
            "Commit": _method(unary, self._commit, CommitRequest, CommitResponse),
            "BeginTransaction": _method(
                unary, self._begin_transaction, BeginTransactionRequest, BeginTransactionResponse
            ),
            "Rollback": unary(self._rollback, RollbackRequest.deserialize, Empty.SerializeToString),
        }
        handler = grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", methods)
        self.server.add_generic_rpc_handlers((handler,))

    def clear(self, project: str, database: str = "(default)") -> None:
        """Empties one database."""
        self._documents.clear(f"projects/{project}/databases/{database}/documents")

    def _batch_get_documents(
        self, request: BatchGetDocumentsRequest, context: grpc.ServicerContext
    ) -> Iterator[BatchGetDocumentsResponse]:
        transaction = request.transaction
        if "new_transaction" in request:
            transaction = self._begin()
            yield BatchGetDocumentsResponse(transaction=transaction)
        names = list(request.documents)
        documents = self._read(transaction, lambda: [self._documents.get(name) for name in names])
        now = self._documents.now()
        for name, document in zip(names, documents, strict=True):
            if document is None:
                yield BatchGetDocumentsResponse(missing=name, read_time=now)
            else:
                found = project(document, request.mask.field_paths) if "mask" in request else document
                yield BatchGetDocumentsResponse(found=found, read_time=now)

    def _run_query(self, request: RunQueryRequest, context: grpc.ServicerContext) -> Iterator[RunQueryResponse]:
        transaction = request.transaction
        if "new_transaction" in request:
            transaction = self._begin()
            yield RunQueryResponse(transaction=transaction)
        query = request.structured_query
        documents = self._read(transaction, lambda: list(run(self._documents, request.parent, query)))
        now = self._documents.now()
        yield RunQueryResponse(read_time=now)
        paths = [field.field_path for field in query.select.fields]
        for document in filter(None, documents):
            found = project(document, paths) if "select" in query else document
            yield RunQueryResponse(document=found, read_time=now)

    def _commit(self, request: CommitRequest, context: grpc.ServicerContext) -> CommitResponse:
        if request.transaction:
            reads = self._transactions.pop(request.transaction, None)
            if reads is None:
                raise StatusError(StatusCode.INVALID_ARGUMENT, "The transaction is unknown or has ended")
            if any(_versions(read()) != seen for read, seen in reads):
                raise StatusError(StatusCode.ABORTED, "What the transaction read has changed: begin it again")
        return self._documents.commit(request.writes)

    def _begin_transaction(
        self, request: BeginTransactionRequest, context: grpc.ServicerContext
    ) -> BeginTransactionResponse:
        return BeginTransactionResponse(transaction=self._begin())

    def _rollback(self, request: RollbackRequest, context: grpc.ServicerContext) -> Empty:
        self._transactions.pop(request.transaction, None)
        return Empty()

    def _begin(self) -> bytes:
        transaction = secrets.token_bytes(16)
        self._transactions[transaction] = []
        return transaction

    def _read(self, transaction: bytes, read: Read) -> list[Document | None]:
        """Reads, and remembers in the transaction what was read, to be read again when it commits."""
        documents = read()
        if transaction:
            if transaction not in self._transactions:
                raise StatusError(StatusCode.INVALID_ARGUMENT, "The transaction is unknown or has ended")
            self._transactions[transaction].append((read, _versions(documents)))
        return documents


def _method(shape: Callable[..., Any], answer: Callable[..., Any], request: type[Any], response: type[Any]) -> Any:
    return shape(answer, request.deserialize, response.serialize)


def _versions(documents: list[Document | None]) -> Versions:
    return [(document.name, document.update_time) if document else None for document in documents]
