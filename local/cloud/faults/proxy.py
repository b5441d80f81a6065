"""A proxy in front of each data service, with which tests break the connection between the service and the app."""

import asyncio
from contextlib import suppress
from enum import StrEnum

from local.cloud.common.listener import HOST
from local.cloud.faults.throttling import Overloaded

SLOW = 2.0  # seconds
CHUNK = 64 * 1024  # bytes


class Fault(StrEnum):
    DOWN = "down"
    SLOW = "slow"
    HELD = "held"
    THROTTLED = "throttled"
    HALVED = "halved"


class FaultProxy:
    """Forwards TCP connections to `target`, host:port, for any protocol.

    The fault `down` cuts connections. `slow` delays what clients send by SLOW seconds, and `held` until the fault is
    over. `throttled` and `halved` forward connections to `overloaded` instead.
    """

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
            back = asyncio.create_task(_pump(server, to_client))
            try:
                await self._pump_with_faults(client, to_server)
            finally:
                to_server.close()
                await back
        except OSError:
            pass
        finally:
            self._clients.discard(to_client)
            to_client.close()

    async def _pump_with_faults(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        while chunk := await client.read(CHUNK):
            if self._fault is Fault.SLOW:
                await asyncio.sleep(SLOW)
            elif self._fault is Fault.HELD:
                self._holding.set()
                await self._over.wait()
            to_server.write(chunk)
            await to_server.drain()


async def _pump(server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await server.read(CHUNK):
            to_client.write(chunk)
            await to_client.drain()
    to_client.close()
