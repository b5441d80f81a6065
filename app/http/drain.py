"""Reads the rest of a request's body before the response.

Otherwise gunicorn closes the connection, and a client that still sends sees a reset instead of the response. `flask
run` drains bodies itself, and Lambda holds them in memory.
"""

from contextlib import suppress

from flask import Flask, Response, request

MAX_BYTES = 32 * 1024 * 1024
"""Cloud Run's limit of an HTTP/1 request (https://cloud.google.com/run/quotas)."""
CHUNK = 64 * 1024


def register(app: Flask) -> None:
    """Drain the body of every request to `app` before the response."""
    app.after_request(_drain)


def _drain(response: Response) -> Response:
    environ = request.environ
    has_body = "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ  # RFC 9112, 6.3
    if has_body and environ.get("wsgi.input_terminated"):
        left = MAX_BYTES
        with suppress(OSError):  # a client that stopped sending will not read the response either
            while left > 0 and (chunk := request.input_stream.read(CHUNK)):
                left -= len(chunk)
    return response
