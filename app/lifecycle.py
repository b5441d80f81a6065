"""Prepares the app for Lambda's SnapStart, which snapshots a process and restores many copies from it.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-best-practices.html
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Protocol

from flask import Flask

from app import deadline
from app.url_rule import Rule

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Closable(Protocol):
    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        ...


class ColdStart:
    """Tells the first request of a process, or after a restore, from later ones."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._answers = chain([True], repeat(False))

    def once(self) -> bool:
        """True the first time."""
        return next(self._answers)


class App(Flask):
    """The Flask app and its clients. A request has `seconds` for all of its calls to them.

    `warm_up` loads all that requests may need.
    """

    url_rule_class = Rule

    def __init__(
        self, clients: Sequence[Closable], warm_up: Callable[[], None] = lambda: None, seconds: float = math.inf
    ) -> None:
        super().__init__(__name__, static_folder=None)
        self.cold_start = ColdStart()
        self._clients = clients
        self._warm_up = warm_up
        self._seconds = seconds

    def wsgi_app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Ignores requests to upgrade the protocol (RFC 9110, 7.8): werkzeug would look for a WebSocket route."""
        environ.pop("HTTP_UPGRADE", None)
        with deadline.within(self._seconds):
            return super().wsgi_app(environ, start_response)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """All views and hooks are synchronous, so that Flask need not inspect each of them at every request."""
        return func

    def before_snapshot(self) -> None:
        """Load what requests would load, and close all connections, which would be dead in the copies."""
        self.url_map.update()
        self._warm_up()
        for client in self._clients:
            client.close()

    def after_restore(self) -> None:
        """Reseed `random`, or all copies draw the same numbers. `secrets` reads the kernel's and needs no reseeding."""
        random.seed()
        self.cold_start.reset()
