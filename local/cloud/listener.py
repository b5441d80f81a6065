"""A listening socket on 127.0.0.1 with one handler for every request, whatever its method and path."""

import errno
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

type Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

HOST = "127.0.0.1"
MAX_LINE = 64 * 1024  # bytes of a request line or of a header


@dataclass(frozen=True)
class Listener:
    port: int
    _runner: web.ServerRunner

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    async def close(self) -> None:
        await self._runner.cleanup()


async def listen(handler: Handler, preferred_port: int = 0) -> Listener:
    """Listens on the preferred port or on the next one that is free; 0 is any free port."""
    server = web.Server(handler, access_log=None, max_line_size=MAX_LINE, max_field_size=MAX_LINE)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    port = preferred_port
    while True:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not preferred_port:
                raise
            port += 1
        else:
            return Listener(runner.addresses[0][1], runner)


def free_port() -> int:
    """A port that was free just now, for a child that must be told one."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
