"""Serves a provider to the engine that started this process."""

from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from local.providers.standin import StandIn

MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes, as in the engine


def serve(provider: StandIn) -> None:
    """Prints the port, as the engine expects, and serves until the engine ends the process."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=16), options=[("grpc.max_receive_message_length", MESSAGE_LIMIT)]
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)  # pyright: ignore[reportUnknownMemberType]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
