"""Events of an API Gateway HTTP API or a Lambda function URL, payload format 2.0, as WSGI environs."""

import base64
import binascii
import re
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from app.http.problems import Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# gunicorn and `flask run` drop names with an underscore too: in a WSGI environ they would pass for those with a hyphen.
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")
NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class NotAnHttpEvent(Exception):
    """Nobody waits for a response. A queue, topic or schedule keeps or retries only what the function fails on."""


class _Http(msgspec.Struct):
    method: str


class _RequestContext(msgspec.Struct):
    http: _Http


class _Event(msgspec.Struct):
    """What is needed of payload format 2.0
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).

    API Gateway omits what a request does not have; SAM, LocalStack and hand-made events have null there.
    """

    rawPath: str
    requestContext: _RequestContext
    version: Literal["2.0"] | None = None
    rawQueryString: str | None = None
    headers: dict[str, str | None] | None = None
    cookies: list[str] | None = None
    body: str | None = None
    isBase64Encoded: bool | None = None


def to_environ(event: Any) -> "WSGIEnvironment":
    """The WSGI environ (PEP 3333) of a request.

    Raises Problem for an HTTP event that no server would have let through, and NotAnHttpEvent for any other event.
    """
    match event:
        case {"requestContext": {"http": _}}:
            pass
        case _:
            raise NotAnHttpEvent(_refusal(event))
    try:
        return _environ(msgspec.convert(event, _Event))
    except msgspec.ValidationError as error:
        raise Problem(400, f"Not an event of an HTTP API, payload format 2.0: {error}") from None


def _refusal(event: Any) -> str:
    """One line that names what came by its keys: the values may be secret."""
    came = f"one with {[*event]}" if isinstance(event, dict) else f"a {type(event).__name__}"
    return f"not an event of an HTTP API or a function URL, which has requestContext.http, but {came[:200]}"


def _environ(event: _Event) -> "WSGIEnvironment":
    body = _body(event)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": event.requestContext.http.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _native(event.rawPath),
        "QUERY_STRING": _native(event.rawQueryString or ""),
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "lambda",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers = event.headers or {}
    if event.cookies:
        headers |= {"Cookie": "; ".join(event.cookies)}
    for name, value in headers.items():
        if value is None or not HEADER_NAME.fullmatch(name):
            continue
        if NOT_IN_A_HEADER.search(value):
            raise Problem(400, f"Header {name} has a control character.")
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = _native(value)
    return environ


def _body(event: _Event) -> bytes:
    body = (event.body or "").encode(errors="surrogatepass")
    if not event.isBase64Encoded:
        return body
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise Problem(400, f"The event's body is not base64: {error}", "body") from None


def _native(text: str) -> str:
    """PEP 3333's native string: the bytes of UTF-8, each a character. JSON can hold lone surrogates."""
    return text.encode(errors="surrogatepass").decode("latin1")
