"""Events of an API Gateway HTTP API or a Lambda function URL, payload format 2.0, as serverless-wsgi can take them.

API Gateway omits what a request does not have; SAM, LocalStack and hand-made events have null there. Both come out as
the same event, whose texts are Unicode, and whose headers are those that a WSGI server would have let through.
"""

import base64
import binascii
import re
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from app.http.problems import Problem

# gunicorn and `flask run` drop names with an underscore too: in a WSGI environ they would pass for those with a hyphen.
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")
# The body is whole, whatever these say.
FRAMING = {"content-length", "transfer-encoding"}
NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class NotAnHttpEvent(Exception):
    """Nobody waits for a response. A queue, topic or schedule keeps or retries only what the function fails on."""


class _Http(msgspec.Struct):
    method: str


class _RequestContext(msgspec.Struct):
    http: _Http


class _Event(msgspec.Struct):
    """What is needed of payload format 2.0
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
    """The event, checked. It has the decoded path escaped again, since serverless-wsgi decodes it.

    Raises Problem for an HTTP event that no server would have let through, and NotAnHttpEvent for any other event.
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
    """One line that names what came by its keys: the values may be secret."""
    came = f"one with {[*event]}" if isinstance(event, dict) else f"a {type(event).__name__}"
    return f"not an event of an HTTP API or a function URL, which has requestContext.http, but {came[:200]}"


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
    """JSON can hold lone surrogates, which are no text."""
    return text.encode(errors="surrogatepass").decode(errors="replace")


def _native(text: str) -> str:
    """PEP 3333's native string: the bytes of UTF-8, each a character."""
    return text.encode(errors="surrogatepass").decode("latin1")
