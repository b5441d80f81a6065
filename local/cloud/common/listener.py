"""An HTTP listener on 127.0.0.1 with one handler for all methods and paths."""

import errno
import logging
import re
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

type Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

HOST = "127.0.0.1"
CHILDREN_PORTS = range(20_000, 32_768)
MAX_LINE = 1024 * 1024  # bytes of a request line or of a header; the clouds' own limits are lower
MAX_HEADERS = 32768
VALID_HOST = re.compile(r"(\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?", re.ASCII | re.IGNORECASE)
LOGGER = logging.getLogger(__name__)
# Clients' errors are not logged: a malformed request, which may contain secrets, and a closed connection.
CLIENT_ERRORS = (HttpProcessingError, ConnectionError)
LOGGER.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], CLIENT_ERRORS)))


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


async def listen(handler: Handler, preferred_port: int = 0, max_body: int = sys.maxsize) -> Listener:
    """Listens on the preferred port or the next free one; 0 means any free port.

    A client that expects 100-continue (RFC 9110, 10.1.1) gets it at once, unless its body is larger than `max_body`.
    """

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        expectations = ",".join(request.headers.getall("Expect", [])).lower().split(",")
        expects = "100-continue" in map(str.strip, expectations) and request.version >= (1, 1)
        too_large = (request.content_length or 0) > max_body
        if expects and not too_large and request.transport:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        response = await handler(request)
        # A client may send a refused body anyway. After an Upgrade header, aiohttp's parser loses the next request.
        if (expects and too_large) or "Upgrade" in request.headers:
            response.force_close()
        return response

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
    """The requested path and query, from any form of the request target (RFC 9112, 3.2)."""
    path = re.sub(r"^\w[\w+.-]*://[^/?#]*", "", request.raw_path).partition("#")[0]
    return path if path.startswith("/") else f"/{path}"


async def body(request: web.BaseRequest) -> bytes:
    """The whole body of any size; aiohttp's own `read` refuses more than 1 MiB."""
    return b"".join([chunk async for chunk in request.content.iter_any()])


def has_valid_host(request: web.BaseRequest) -> bool:
    """Whether the Host header is well-formed or absent (RFC 9112, 3.2). It may name any host."""
    return bool(VALID_HOST.fullmatch(request.headers.get("Host", "")))


def free_port() -> int:
    """A port for a child that cannot choose one itself.

    No outgoing connection takes it meanwhile, since it is outside of Linux's range for these
    (https://docs.kernel.org/networking/ip-sysctl.html, ip_local_port_range).
    """
    while True:
        with socket.socket() as probe, suppress(OSError):
            port = secrets.choice(CHILDREN_PORTS)
            probe.bind((HOST, port))
            return port
