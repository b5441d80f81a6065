"""What happens to the app around a snapshot of its process, which many copies are then made from: Lambda's SnapStart.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-best-practices.html
"""

import math
import random
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Protocol

from flask import Flask

from app import deadline

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Closable(Protocol):
    def close(self) -> None:
        """Let go of all connections; the next call makes others."""
        ...


class ColdStart:
    """Whether a request is the first one of its process, or the first one after a restore."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._answers = chain([True], repeat(False))

    def once(self) -> bool:
        """True the first time."""
        return next(self._answers)


class App(Flask):
    """The Flask app, and the clients behind it. Every request gets `seconds` for all that it asks of them."""

    def __init__(self, clients: Sequence[Closable], seconds: float = math.inf) -> None:
        super().__init__(__name__, static_folder=None)
        self.cold_start = ColdStart()
        self._clients = clients
        self._seconds = seconds

    def wsgi_app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Switches to no other protocol (RFC 9110, 7.8): werkzeug would look for a route of WebSockets."""
        environ.pop("HTTP_UPGRADE", None)
        with deadline.within(self._seconds):
            return super().wsgi_app(environ, start_response)

    def before_snapshot(self) -> None:
        """Load what the first request would, and close all connections: in the copies they would be dead."""
        self.url_map.update()
        "".encode("idna")  # urllib3 looks hosts up by this codec, which is imported when it is first used
        for client in self._clients:
            client.close()

    def after_restore(self) -> None:
        """Be another one than the other copies. What must be secret is the kernel's randomness, which needs nothing."""
        random.seed()
        self.cold_start.reset()
