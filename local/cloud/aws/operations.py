"""Who answers a request to the laptop's AWS: an operation of ours, else moto, one request at a time."""

import io
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

type Operation = Callable[[Request], Response | None]
"""Answers a request, or returns None if it is not for this operation."""


def first(operations: Sequence[Operation], moto: "WSGIApplication") -> "WSGIApplication":
    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        answers = (answer for operation in operations if (answer := operation(request)) is not None)
        return next(answers, moto)(environ, start_response)

    return application


def one_at_a_time(application: "WSGIApplication", lock: threading.Lock) -> "WSGIApplication":
    """Serialises the requests: moto checks a condition before it writes, so two concurrent writes could both pass."""

    def serialised(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with lock:
            return list(application(environ | {"wsgi.input": io.BytesIO(body)}, start_response))

    return serialised
