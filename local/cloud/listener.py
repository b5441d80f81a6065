"""A listening socket on 127.0.0.1 with one handler for every request, whatever its method and path."""

import errno
import logging
import re
import secrets
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

type Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

HOST = "127.0.0.1"
CHILDREN_PORTS = range(20_000, 32_768)
MAX_LINE = 1024 * 1024  # bytes of a request line or of a header; what is too long for a front it says itself
MAX_HEADERS = 32768
LOGGER = logging.getLogger(__name__)
# What is no HTTP is the client's fault, gets a 400, and may have secrets in it.
LOGGER.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))


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

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        expects = request.headers.get("Expect", "").lower() == "100-continue" and request.version >= (1, 1)
        if expects and request.transport:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await handler(request)

    server = web.Server(
        handle,
        access_log=None,
        logger=LOGGER,
        auto_decompress=False,
        max_line_size=MAX_LINE,
        max_field_size=MAX_LINE,
        max_headers=MAX_HEADERS,
    )
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


def target(request: web.BaseRequest) -> str:
    """The path and query that are asked for, in whichever of its forms the target came (RFC 9112, 3.2)."""
    path = re.sub(r"^\w[\w+.-]*://[^/?#]*", "", request.raw_path).partition("#")[0]
    return path if path.startswith("/") else f"/{path}"


def free_port() -> int:
    """A port for a child that must be told one. No connection takes it meanwhile: Linux gives those others
    (https://docs.kernel.org/networking/ip-sysctl.html, ip_local_port_range)."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            port = secrets.choice(CHILDREN_PORTS)
            probe.bind((HOST, port))
            return port
