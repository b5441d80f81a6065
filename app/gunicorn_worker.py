"""gunicorn's threaded worker, with problem details for its own errors.

https://gunicorn.org/reference/settings/#worker_class
"""

import math
from collections.abc import Iterable
from contextlib import suppress
from socket import socket
from typing import Any

from gunicorn.errors import AppImportError
from gunicorn.http.errors import ExpectationFailed, LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

from app import deadline
from app.http.problems import PROBLEM_JSON, Problem

STATUSES: dict[type, int] = {LimitRequestLine: 414, ExpectationFailed: 417, LimitRequestHeaders: 431}


class Worker(ThreadWorker):
    def load_wsgi(self) -> None:
        try:
            super().load_wsgi()
        except SystemExit as error:
            if isinstance(error.code, str):  # else gunicorn would start one worker after the other
                raise AppImportError(error.code) from None
            raise
        app = self.wsgi

        def app_with_body(environ: Any, start_response: Any) -> Iterable[bytes]:
            environ["wsgi.input"] = Body(environ["wsgi.input"], environ["gunicorn.socket"])
            return app(environ, start_response)

        self.wsgi = app_with_body

    def handle_error(self, req: Any, client: socket, addr: Any, exc: BaseException) -> None:
        """Answer a request that gunicorn cannot parse, or that the app failed to answer."""
        if req is None and isinstance(exc, ParseException):
            problem = Problem(STATUSES.get(type(exc), 400), str(exc)[:200])
            self.log.warning("answered %s: %s", problem.status, type(exc).__name__)
        else:
            problem = Problem(500, "Something is wrong with this service; it has been logged.")
            self.log.exception("answered 500")
        response = problem.response()
        body = response.get_data()
        fields = f"Connection: close\r\nContent-Type: {PROBLEM_JSON}\r\nContent-Length: {len(body)}"
        with suppress(OSError):
            client.sendall(f"HTTP/1.1 {response.status}\r\n{fields}\r\n\r\n".encode() + body)


class Body:
    """A request's body. A framing error raises OSError, which werkzeug answers with 400.

    So does a body of which nothing arrives until the request's deadline; otherwise its thread would wait forever.
    """

    def __init__(self, body: Any, client: socket) -> None:
        self._body = body
        self._client = client

    def read(self, size: int = -1) -> bytes:
        left = deadline.left()
        self._client.settimeout(None if math.isinf(left) else max(left, 0.001))
        try:
            return self._body.read(size)
        except ParseException as error:
            raise OSError(str(error)) from error
        finally:
            self._client.settimeout(None)
