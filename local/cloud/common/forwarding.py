"""What forwards HTTP requests needs: a client, and the headers that pass through."""

from collections.abc import Mapping

import aiohttp
from multidict import CIMultiDict

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"}


def session() -> aiohttp.ClientSession:
    """A client that sends requests unchanged and once: no decompression, no cookies, a connection for each request."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )
    # Else a GET is sent again if the instance ends without an answer. aiohttp's own test client turns it off like this.
    session._retry_connection = False  # pyright: ignore[reportPrivateUsage]
    return session


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers that a proxy forwards (RFC 9110, 7.6.1)."""
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)
