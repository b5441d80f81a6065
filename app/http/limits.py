"""Limits the head of a request on every runtime as API Gateway's HTTP APIs do.

"Total combined size of request line and header values: 10240 bytes"
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html).
"""

from flask import Flask, request

from app.http.problems import Problem

MAX_HEAD_BYTES = 10240
FRONT_DOORS_HEADERS = {
    "HTTP_CONNECTION",
    "HTTP_FORWARDED",
    "HTTP_TRACEPARENT",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_VIA",
    "HTTP_X_AMZN_TRACE_ID",
    "HTTP_X_CLOUD_TRACE_CONTEXT",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
}
FRONT_DOORS_BYTES = 128
"""How much a front door may add to each of these headers, which does not count against the client."""


def register(app: Flask) -> None:
    """Refuse requests with a longer head: 414 if the request line alone is too long, else 431 (RFC 6585)."""
    app.before_request(_check)


def _check() -> None:
    environ = request.environ
    # Lambda has only the unescaped path, which is never longer, and its front door has already checked the head.
    target = environ.get("RAW_URI") or f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}".removesuffix("?")
    line = len(f"{environ['REQUEST_METHOD']} {target} {environ['SERVER_PROTOCOL']}")
    if line > MAX_HEAD_BYTES:
        raise Problem(414, f"The request line has {line} bytes; the limit is {MAX_HEAD_BYTES}.")
    head = line
    for name, value in environ.items():
        if name in FRONT_DOORS_HEADERS:
            head += max(0, len(value) - FRONT_DOORS_BYTES)
        elif name.startswith("HTTP_") or name == "CONTENT_TYPE":
            head += len(value)
    if head > MAX_HEAD_BYTES:
        raise Problem(431, f"The request line and the headers have {head} bytes; the limit is {MAX_HEAD_BYTES}.")
