"""Serves the providers to the engine in place of plugins."""

import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from local.providers.aws.provider import Aws
from local.providers.control import Control
from local.providers.gcp.provider import Gcp
from local.providers.provider import FakeProvider
from local.providers.resource import ProviderError

MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes, as in the engine
THREADS = 256
"""More than the engines of several stacks have calls at once. They are started on demand."""
OPENING = ("Handshake", "Attach")


def variables(home: Path) -> Mapping[str, str]:
    """Serves the home's providers until this process ends. Returns the variable with which an engine finds them.

    https://www.pulumi.com/docs/iac/guides/building-extending/providers/debugging-providers/
    """
    return {"PULUMI_DEBUG_PROVIDERS": ",".join(f"{kind.package}:{_server(kind, home)[1]}" for kind in (Aws, Gcp))}


@cache
def _server(kind: type[FakeProvider], home: Path) -> tuple[grpc.Server, int]:
    """The server, which ends when it is deleted, and its port."""
    make = partial(kind, Control(home))
    server = grpc.server(
        ThreadPoolExecutor(THREADS),
        interceptors=[ProviderPerConnection(make, home / "logs" / "providers.log")],
        options=[("grpc.max_receive_message_length", MESSAGE_LIMIT)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(make(), server)  # pyright: ignore[reportUnknownMemberType]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


class ProviderPerConnection(grpc.ServerInterceptor):
    """Makes a provider for each connection, since the engine opens one for each provider of a stack and configures it.

    Turns exceptions into the one line that the engine shows. The traceback of an unexpected one goes to a file.
    """

    def __init__(self, make: Callable[[], FakeProvider], log: Path) -> None:
        self._make, self._log = make, log
        self._made: dict[str, FakeProvider] = {}

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or not handler.unary_unary:
            return handler
        method = handler_call_details.method.rpartition("/")[2]

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            peer = context.peer()
            if method in OPENING:
                self._made[peer] = self._make()
            provider = self._made[peer]
            try:
                return getattr(provider, method)(request, context)
            except NotImplementedError:
                raise
            except Exception as error:
                context.abort(grpc.StatusCode.UNKNOWN, self._line(provider, error))

        return grpc.unary_unary_rpc_method_handler(answer, handler.request_deserializer, handler.response_serializer)

    def _line(self, provider: FakeProvider, error: Exception) -> str:
        text = " ".join(str(error).split())
        if isinstance(error, ProviderError) or provider.explains(error):
            return text
        with suppress(OSError):
            self._log.parent.mkdir(exist_ok=True)
            with self._log.open("a") as log:
                traceback.print_exception(error, file=log)
        return f"{type(error).__name__}: {text} (the traceback: {self._log})"
