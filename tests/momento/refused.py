"""A stack whose every cache is refused for another reason; prints what the engine says.

A process of its own, as Pulumi leaves threads and sockets behind when an inline program fails.
python -m tests.momento.refused FOLDER ENDPOINT API_KEY ENDPOINT_OVER_ITS_LIMIT
"""

import socket
import sys
from contextlib import suppress
from pathlib import Path

import pulumi
from pulumi import automation as auto

from pulumi_momento import Cache, Provider
from tests.momento.conftest import Engine


def main(folder: str, endpoint: str, key: str, over: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}"

    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def cache(name: str, key: str = key, endpoint: str = endpoint, import_: str | None = None) -> None:
            account = Provider(f"account-{name}", api_key=key, endpoint=endpoint)
            Cache(name, name=name, opts=pulumi.ResourceOptions(provider=account, import_=import_))

        def program() -> None:
            cache("taken")
            cache("nowhere", import_="nowhere")
            cache("wrong-key", key="another-key")
            cache("closed", endpoint=closed)
            cache("silent", endpoint=silent)
            cache("over", endpoint=over)

        stack = Engine.made(Path(folder), {}).stack
        with suppress(auto.CommandError):
            stack.up(program=program, on_output=print, on_error=print, continue_on_error=True, color="never")


if __name__ == "__main__":
    main(*sys.argv[1:])
