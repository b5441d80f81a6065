"""Validates and normalises events of API Gateway HTTP APIs and Lambda function URLs (payload format 2.0).

API Gateway omits what a request lacks; SAM, LocalStack and hand-made events have null instead. Both are normalised to
the same event for serverless-wsgi, with valid Unicode and only the headers that a WSGI server would pass on.
"""

import base64
import binascii
import re
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from app.http.problems import Problem

# Without the underscore, as in gunicorn and `flask run`: in a WSGI environ it is the same as a hyphen.
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")
# The event always has the whole body, whatever these headers say.
FRAMING = {"content-length", "transfer-encoding"}
NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class NotAnHttpEvent(Exception):
    """The event is not a request. It is raised, so that a queue, topic or schedule retries the event or keeps it."""


class _Http(msgspec.Struct):
    method: str


class _RequestContext(msgspec.Struct):
    http: _Http


class _Event(msgspec.Struct):
    """The part of payload format 2.0 that the app needs
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html)."""

    rawPath: str
    requestContext: _RequestContext
    version: Literal["2.0"] | None = None
    rawQueryString: str | None = None
    headers: dict[str, str | None] | None = None
    cookies: list[str] | None = None
    body: str | None = None
    isBase64Encoded: bool | None = None


def clean(event: Any) -> dict[str, Any]:
    """The validated event. Its path is escaped again, since serverless-wsgi unescapes it.

    Raises Problem for a request that no server would accept, and NotAnHttpEvent for any other event.
    """
    match event:
        case {"requestContext": {"http": _}}:
            pass
        case _:
            raise NotAnHttpEvent(_refusal(event))
    try:
        checked = msgspec.convert(event, _Event)
    except (msgspec.ValidationError, UnicodeError) as error:
        raise Problem(400, f"Not an event of an HTTP API, payload format 2.0: {error}") from None
    return {
        "version": "2.0",
        "rawPath": quote(checked.rawPath.encode(errors="surrogatepass")),
        "rawQueryString": _unicode(checked.rawQueryString or ""),
        "headers": _headers(checked.headers or {}),
        "cookies": [*_headers({"Cookie": "; ".join(checked.cookies or ())}).values()],
        "body": base64.b64encode(_body(checked)).decode(),
        "isBase64Encoded": True,
        "requestContext": {"http": {"method": _unicode(checked.requestContext.http.method)}},
    }


def _refusal(event: Any) -> str:
    """One line that names the keys of the event, but not the values, which may be secret."""
    given = f"one with {[*event]}" if isinstance(event, dict) else f"a {type(event).__name__}"
    return f"not an event of an HTTP API or a function URL, which has requestContext.http, but {given[:200]}"


def _headers(given: dict[str, str | None]) -> dict[str, str]:
    headers = {
        name: _native(value)
        for name, value in given.items()
        if value is not None and HEADER_NAME.fullmatch(name) and name.lower() not in FRAMING
    }
    for name, value in headers.items():
        if NOT_IN_A_HEADER.search(value):
            raise Problem(400, f"Header {name} has a control character.")
    return headers


def _body(event: _Event) -> bytes:
    body = (event.body or "").encode(errors="surrogatepass")
    if not event.isBase64Encoded:
        return body
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise Problem(400, f"The event's body is not base64: {error}", "body") from None


def _unicode(text: str) -> str:
    """Replaces lone surrogates, which JSON can contain and UTF-8 cannot."""
    return text.encode(errors="surrogatepass").decode(errors="replace")


def _native(text: str) -> str:
    """A native string of PEP 3333: one character for each byte of the UTF-8 text."""
    return text.encode(errors="surrogatepass").decode("latin1")
