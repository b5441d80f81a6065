"""How long the head of a request may be, the same on every runtime: as long as API Gateway's HTTP APIs let it be.

"Total combined size of request line and header values: 10240 bytes"
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html).
"""

from flask import Flask, request

from app.http.problems import Problem

MAX_HEAD_BYTES = 10240
FRONT_DOORS_HEADERS = {
    "Connection",
    "Content-Length",
    "Forwarded",
    "Traceparent",
    "Transfer-Encoding",
    "Via",
    "X-Amzn-Trace-Id",
    "X-Cloud-Trace-Context",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
}
FRONT_DOORS_BYTES = 128
"""What a front door may add to each of its headers: so much of them is not the client's."""


def register(app: Flask) -> None:
    """Refuse longer requests to `app`: 414 if the request line alone is too long, else 431 (RFC 6585)."""
    app.before_request(_check)


def _check() -> None:
    environ = request.environ
    # The handler has the decoded path only, which is never longer, behind a front door that has counted already.
    target = environ.get("RAW_URI") or f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}".removesuffix("?")
    line = len(f"{environ['REQUEST_METHOD']} {target} {environ['SERVER_PROTOCOL']}")
    if line > MAX_HEAD_BYTES:
        raise Problem(414, f"The request line has {line} bytes, and may have {MAX_HEAD_BYTES}.")
    head = line + sum(_length(name, value) for name, value in request.headers)
    if head > MAX_HEAD_BYTES:
        raise Problem(431, f"The request line and the headers have {head} bytes, and may have {MAX_HEAD_BYTES}.")


def _length(name: str, value: str) -> int:
    return max(0, len(value) - FRONT_DOORS_BYTES) if name in FRONT_DOORS_HEADERS else len(value)
