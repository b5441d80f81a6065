"""The clouds' latencies, which the laptop's stores and caches get for the time of a load: over loopback a cache is
worth nothing.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from docs.tables import text_table
from local.cli import clouds
from local.cli.home import Home, LocalError
from ops.stack import UsageError

TIMEOUT = 10  # seconds


@dataclass(frozen=True)
class Delay:
    """`service` is the name that the laptop's clouds know, `published` what the source says."""

    service: str
    milliseconds: int
    published: str
    source: str


DELAYS = {
    "dynamodb": Delay(
        "aws",
        5,
        "GetItem and PutItem: an average in single-digit milliseconds",
        "https://repost.aws/knowledge-center/dynamodb-high-latency",
    ),
    "firestore": Delay(
        "firestore",
        20,
        "reads of a document from Cloud Run: usually tens of milliseconds",
        "https://github.com/firebase/firebase-admin-node/issues/3161",
    ),
    "momento": Delay(
        "momento",
        2,
        "less than 5 ms",
        "https://docs.momentohq.com/cache/patterns/api-caching",
    ),
}
"""By the upstream that the app's metrics name."""


def published() -> str:
    """The table of docs/performance.md."""
    rows = [
        (f"`{name}`", f"{delay.milliseconds} ms", f"[{delay.published}]({delay.source})")
        for name, delay in DELAYS.items()
    ]
    return text_table(["upstream", "delay", "published"], rows)


TABLES = {"delays": published}


@contextmanager
def injected(home: Path) -> Generator[None]:
    """The laptop's clouds have the DELAYS until the block or this process ends, however it does. Raises UsageError."""
    try:
        daemon = clouds.required(Home(home))
    except LocalError as error:
        raise UsageError(str(error)) from None
    connection = HTTPConnection(urlsplit(daemon.control).netloc, timeout=TIMEOUT)
    try:
        try:
            answer = _hold(connection, daemon.token)
        except (OSError, HTTPException) as error:
            raise UsageError(f"the laptop's clouds do not answer: {str(error) or type(error).__name__}") from None
        yield
        with suppress(OSError, HTTPException):  # the clouds have stopped meanwhile
            connection.send(b"0\r\n\r\n")
            answer.read()
    finally:
        connection.close()


def _hold(connection: HTTPConnection, token: str) -> HTTPResponse:
    """The response to a request whose body goes on. Raises UsageError, OSError and HTTPException."""
    line = json.dumps({delay.service: delay.milliseconds / 1000 for delay in DELAYS.values()}).encode() + b"\n"
    connection.putrequest("POST", "/delays")
    connection.putheader("Authorization", f"Bearer {token}")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    connection.send(b"%x\r\n%s\r\n" % (len(line), line))
    answer = connection.getresponse()
    if answer.status != 200:
        raise UsageError(f"the laptop's clouds refuse the delays: {json.load(answer)['error']}")
    return answer
