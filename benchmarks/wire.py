"""Counts the calls and the bytes between the app and its upstreams, and lets a call take 10 ms more. It runs in a
process beside the app's, `python -m benchmarks.wire name=host:port ...`, and also runs Momento.

It prints the addresses by name and a cache's settings as a line of JSON. Each line of stdin gets one more: for
`counts` what was counted by name since the last one, [calls, bytes], and for `clear` null when the cache is empty.
"""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from local.cloud.common.listener import HOST
from local.cloud.faults.line import CHUNK, pump, sleep_until
from local.cloud.momento import MomentoServer
from tests.app.servers import MOMENTO_API_KEY, momento_cache

DELAY = 0.010  # seconds
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEADER, HEADERS = 9, 1  # bytes, and the type of frame with which a call begins: RFC 9113, 4.1 and 6.2


class Calls:
    """Counts the calls in what a client sends over a connection."""

    def __init__(self) -> None:
        self._unread = b""
        self._is_http2 = False

    def begun(self, chunk: bytes) -> int:
        if chunk.startswith(PREFACE):
            self._is_http2, chunk = True, chunk.removeprefix(PREFACE)
        return self._frames(chunk) if self._is_http2 else chunk.count(b" HTTP/1.1\r\n")

    def _frames(self, chunk: bytes) -> int:
        self._unread += chunk
        count = 0
        while len(self._unread) >= FRAME_HEADER:
            end = FRAME_HEADER + int.from_bytes(self._unread[:3])
            if len(self._unread) < end:
                break
            count += self._unread[3] == HEADERS
            self._unread = self._unread[end:]
        return count


class Wire:
    """Forwards connections to `target`, host:port."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.calls = self.bytes = 0

    async def open(self) -> str:
        """The address to connect to."""
        server = await asyncio.start_server(self._serve, HOST, 0)
        return f"{HOST}:{server.sockets[0].getsockname()[1]}"

    def counts(self) -> tuple[int, int]:
        """Calls and bytes, from now on zero."""
        counted = self.calls, self.bytes
        self.calls = self.bytes = 0
        return counted

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        calls = Calls()

        async def travel(sent: float, chunk: bytes) -> None:
            self.calls += calls.begun(chunk)
            self.bytes += len(chunk)
            await sleep_until(sent + DELAY)

        host, _, port = self._target.rpartition(":")
        with suppress(OSError):
            server, to_server = await asyncio.open_connection(host, port)
            back = asyncio.create_task(self._answer(server, to_client))
            await pump(client, to_server, travel)
            to_server.close()
            await back

    async def _answer(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await server.read(CHUNK):
                self.bytes += len(chunk)
                to_client.write(chunk)
                await to_client.drain()
        to_client.close()


async def serve(targets: Mapping[str, str], momento: MomentoServer) -> None:
    wires = {name: Wire(target) for name, target in targets.items()}
    _say({name: await wire.open() for name, wire in wires.items()})
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line == "counts\n":
            _say({name: wire.counts() for name, wire in wires.items()})
        else:
            momento.clear()
            _say(None)


def _say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    with MomentoServer(MOMENTO_API_KEY) as momento:
        _say(dataclasses.asdict(momento_cache(momento)))
        targets = dict(argument.split("=") for argument in sys.argv[1:])
        asyncio.run(serve(targets | {"momento": momento.endpoint.removeprefix("http://")}, momento))


if __name__ == "__main__":
    main()
