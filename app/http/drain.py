"""Reads what the views left of a request's body: whoever still sends would see a reset connection, not the answer.

gunicorn closes connections over unread bodies. `flask run` drains them itself, and Lambda has them in memory.
"""

from contextlib import suppress

from flask import Flask, Response, request

MAX_BYTES = 32 * 1024 * 1024
"""What Cloud Run takes of an HTTP/1 request (https://cloud.google.com/run/quotas)."""
CHUNK = 64 * 1024


def register(app: Flask) -> None:
    """Drain the body of every request of `app` before it is answered."""
    app.after_request(_drain)


def _drain(response: Response) -> Response:
    if request.environ.get("wsgi.input_terminated"):
        left = MAX_BYTES
        with suppress(OSError):  # whoever stopped sending will not read the answer either
            while left > 0 and (chunk := request.input_stream.read(CHUNK)):
                left -= len(chunk)
    return response
