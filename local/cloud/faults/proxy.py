"""A proxy in front of each data service, with which tests break the connection between the service and the app."""

import asyncio
import time
from contextlib import suppress
from enum import StrEnum

from local.cloud.common.listener import HOST
from local.cloud.faults.throttling import Overloaded

SLOW = 2.0  # seconds
CHUNK = 64 * 1024  # bytes
MOST_ON_ITS_WAY = 256  # chunks of a connection


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
        """Any number of chunks are on their way at the same time, as on a long line."""
        on_its_way = asyncio.Queue[tuple[float, bytes]](MOST_ON_ITS_WAY)
        arriving = asyncio.create_task(self._arrive(on_its_way, to_server))
        try:
            with suppress(asyncio.QueueShutDown):
                while chunk := await client.read(CHUNK):
                    await on_its_way.put((time.monotonic(), chunk))
            on_its_way.shutdown()
            await arriving
        finally:
            arriving.cancel()

    async def _arrive(self, on_its_way: asyncio.Queue[tuple[float, bytes]], to_server: asyncio.StreamWriter) -> None:
        """Ends with the queue, which it shuts down if the server is gone."""
        try:
            while True:
                sent, chunk = await on_its_way.get()
                delay = SLOW if self._fault is Fault.SLOW else self.delay
                if (left := sent + delay - time.monotonic()) > 0:
                    await asyncio.sleep(left)
                if self._fault is Fault.HELD:
                    self._holding.set()
                    await self._over.wait()
                to_server.write(chunk)
                await to_server.drain()
        except (asyncio.QueueShutDown, OSError):
            on_its_way.shutdown(immediate=True)


async def _pump(server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await server.read(CHUNK):
            to_client.write(chunk)
            await to_client.drain()
    to_client.close()
