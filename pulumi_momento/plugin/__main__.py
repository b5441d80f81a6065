"""Serves the provider on a free port of 127.0.0.1 and prints the port, as the engine expects of a plugin."""

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import grpc
from pulumi.runtime.proto import provider_pb2_grpc


def main() -> None:
    try:
        from pulumi_momento.plugin.provider import MomentoProvider
    except ModuleNotFoundError as error:
        sys.exit(f"the momento plugin lacks {error.name}: pip install 'pulumi-momento[plugin]'")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the engine's way to end a plugin; a call under way must not delay it
    server = grpc.server(ThreadPoolExecutor())
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(MomentoProvider(version("pulumi-momento")), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
