"""The base class of the built-in gRPC servers: a listener on 127.0.0.1, and a way to make calls fail."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc

HOST = "127.0.0.1"
WORKERS = 128
MAX_STREAMS = 100  # concurrent calls per connection; more of them wait in the client
MAX_MESSAGE = 16 * 2**20  # bytes; above every limit that the services check themselves

type Handler = grpc.RpcMethodHandler[Any, Any]
type Fault = Callable[[str, grpc.ServicerContext], None]


class StatusError(Exception):
    """Raised by a method to end its call with this status."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


class GrpcServer:
    """A gRPC server on 127.0.0.1, usable as a context manager. With `port` 0, `self.port` is a free one.

    `fault`, when set, is called before every request with the method's name ("Get", "Commit") and the call's context.
    It may sleep, wait for an event or call `context.abort(code, details)`. Requests are served one at a time.

    Raises RuntimeError if the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self.fault: Fault | None = None
        self.server = grpc.server(
            ThreadPoolExecutor(WORKERS),
            interceptors=[_Guard(self.check)],
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", MAX_MESSAGE),
                ("grpc.max_concurrent_streams", MAX_STREAMS),
            ],
        )
        self.port = self.server.add_insecure_port(f"{HOST}:{port}")

    def check(self, method: str, context: grpc.ServicerContext) -> None:
        if self.fault:
            self.fault(method, context)

    def start(self) -> Self:
        self.server.start()
        return self

    def stop(self) -> None:
        """Cancels running calls, as a crash does, and waits until the port is free again."""
        self.server.stop(grace=None).wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Guard(grpc.ServerInterceptor):
    """Runs a check before every method, and one method at a time, since the server's state is not thread-safe."""

    def __init__(self, check: Fault) -> None:
        self._check = check
        self._one_at_a_time = threading.Lock()

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Handler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        handler = continuation(handler_call_details)
        method = handler_call_details.method.rpartition("/")[2]
        if handler is None:
            return None
        if answer := handler.unary_unary:

            def unary(request: Any, context: grpc.ServicerContext) -> Any:
                return self._call(method, answer, request, context)

            return grpc.unary_unary_rpc_method_handler(unary, handler.request_deserializer, handler.response_serializer)
        if stream := handler.unary_stream:

            def drained(request: Any, context: grpc.ServicerContext) -> list[Any]:
                return list(stream(request, context))

            def streaming(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
                yield from self._call(method, drained, request, context)

            return grpc.unary_stream_rpc_method_handler(
                streaming, handler.request_deserializer, handler.response_serializer
            )
        return handler

    def _call(
        self,
        method: str,
        answer: Callable[[Any, grpc.ServicerContext], Any],
        request: Any,
        context: grpc.ServicerContext,
    ) -> Any:
        self._check(method, context)
        try:
            with self._one_at_a_time:
                return answer(request, context)
        except StatusError as error:
            context.abort(error.code, error.details)
