"""Serves a provider to the engine that started this process."""

import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from local.providers.provider import FakeProvider
from local.providers.resource import ProviderError

MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes, as in the engine


class OneLineErrors(grpc.ServerInterceptor):
    """Turns exceptions into the one line that the engine shows; unexpected ones also print a traceback."""

    def __init__(self, provider: FakeProvider) -> None:
        self._provider = provider

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or not handler.unary_unary:
            return handler

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            try:
                return handler.unary_unary(request, context)
            except NotImplementedError:
                raise
            except Exception as error:
                context.abort(grpc.StatusCode.UNKNOWN, self._line(error))

        return grpc.unary_unary_rpc_method_handler(answer, handler.request_deserializer, handler.response_serializer)

    def _line(self, error: Exception) -> str:
        text = " ".join(str(error).split())
        if isinstance(error, ProviderError) or self._provider.explains(error):
            return text
        traceback.print_exception(error, file=sys.stderr)
        return f"{type(error).__name__}: {text}"


def serve(provider: FakeProvider) -> None:
    """Prints the port, as the engine expects, and serves until the process ends, of which parent.py takes care."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=16),
        interceptors=[OneLineErrors(provider)],
        options=[("grpc.max_receive_message_length", MESSAGE_LIMIT)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)  # pyright: ignore[reportUnknownMemberType]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
