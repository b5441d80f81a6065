"""A proxy in front of each data service, with which tests break the connection between the service and the app."""

import asyncio
from contextlib import suppress
from enum import StrEnum

from local.cloud.common.listener import HOST
from local.cloud.faults.line import CHUNK, pump, sleep_until
from local.cloud.faults.throttling import Overloaded

SLOW = 2.0  # seconds


class Fault(StrEnum):
    DOWN = "down"
    SLOW = "slow"
    HELD = "held"
    THROTTLED = "throttled"
    HALVED = "halved"


class FaultProxy:
    """Forwards TCP connections to `target`, host:port, for any protocol.

    `delay` is how long what clients send is on its way, in seconds. The fault `down` cuts connections. `slow` makes the
    delay SLOW, and `held` lasts until the fault is over. `throttled` and `halved` forward connections to `overloaded`
    instead.
    """

    delay = 0.0

    def __init__(self, target: str, overloaded: Overloaded) -> None:
        self._target = target
        self._overloaded = overloaded
        self._fault: Fault | None = None
        self._holding = asyncio.Event()
        self._over = asyncio.Event()
        self._clients: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.address = f"{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        self._server.close()
        self._over.set()
        self._cut()
        await self._server.wait_closed()
        await self._overloaded.close()

    def break_down(self, fault: Fault) -> None:
        self.repair()
        self._fault = fault
        self._holding, self._over = asyncio.Event(), asyncio.Event()
        self._overloaded.throttled, self._overloaded.halved = fault is Fault.THROTTLED, fault is Fault.HALVED
        if fault not in (Fault.SLOW, Fault.HELD):
            self._cut()

    def repair(self) -> None:
        self._fault = None
        self._overloaded.throttled = self._overloaded.halved = False
        self._over.set()

    async def holding(self) -> None:
        """Returns when something is held."""
        await self._holding.wait()

    def _cut(self) -> None:
        for client in self._clients:
            client.transport.abort()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self._clients.add(to_client)
        try:
            if self._fault is Fault.DOWN:
                return
            overloaded = self._fault in (Fault.THROTTLED, Fault.HALVED)
            host, _, port = (self._overloaded.address if overloaded else self._target).rpartition(":")
            server, to_server = await asyncio.open_connection(host, port)
            back = asyncio.create_task(_answer(server, to_client))
            try:
                await pump(client, to_server, self._travel)
            finally:
                to_server.close()
                await back
        except OSError:
            pass
        finally:
            self._clients.discard(to_client)
            to_client.close()

    async def _travel(self, sent: float, chunk: bytes) -> None:
        await sleep_until(sent + (SLOW if self._fault is Fault.SLOW else self.delay))
        if self._fault is Fault.HELD:
            self._holding.set()
            await self._over.wait()


async def _answer(server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await server.read(CHUNK):
            to_client.write(chunk)
            await to_client.drain()
    to_client.close()
