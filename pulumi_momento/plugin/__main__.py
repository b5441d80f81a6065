"""Serves the provider on a free port of 127.0.0.1 and prints the port, as the engine expects from a plugin."""

import os
import select
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from threading import Thread

import grpc
from pulumi.runtime.proto import provider_pb2_grpc


def main() -> None:
    _end_with_engine()
    try:
        from pulumi_momento.plugin.provider import MomentoProvider
    except ModuleNotFoundError as error:
        sys.exit(f"the momento plugin lacks {error.name}: pip install 'pulumi-momento[plugin]'")
    signal.signal(signal.SIGINT, _end)  # how the engine ends a plugin; a running call must not delay it
    server = grpc.server(ThreadPoolExecutor())
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(MomentoProvider(version("pulumi-momento")), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


def _end_with_engine() -> None:
    """End this process when the engine ends, since a killed engine cannot end its plugins. Needs Linux's pidfds."""
    if sys.platform != "linux":
        return
    engine = os.getppid()
    try:
        ended = os.pidfd_open(engine)
    except ProcessLookupError:
        os._exit(1)
    except OSError:  # before Linux 5.3
        return
    if os.getppid() != engine:
        os._exit(1)

    def wait() -> None:
        select.select([ended], [], [])
        os._exit(1)

    Thread(target=wait, daemon=True).start()


def _end(number: int, frame: object) -> None:
    os._exit(0)  # the engine reports any other code as an error


if __name__ == "__main__":
    main()
