"""The Lambda handler, behind an API Gateway HTTP API."""

import binascii
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import msgspec
import serverless_wsgi  # pyright: ignore[reportMissingTypeStubs]
from flask import Flask
from snapshot_restore_py import (  # pyright: ignore[reportMissingTypeStubs]
    register_after_restore,
    register_before_snapshot,
)

from app.bootstrap import create_app_from_environ
from app.http.problems import PROBLEM_JSON, Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

serverless_wsgi.TEXT_MIME_TYPES.append(PROBLEM_JSON)
_handle_request: Any = serverless_wsgi.handle_request  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

type Handler = Callable[[Any, object], dict[str, Any]]


class _Http(msgspec.Struct):
    method: str
    sourceIp: str = ""


class _RequestContext(msgspec.Struct):
    http: _Http
    authorizer: dict[str, Any] = {}


class _Event(msgspec.Struct):
    """What is needed of payload format 2.0
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html)."""

    version: Literal["2.0"]
    rawPath: str
    headers: dict[str, str]
    requestContext: _RequestContext
    rawQueryString: str = ""
    cookies: list[str] = []
    body: str = ""
    isBase64Encoded: bool = False


def create_handler(app: Flask) -> Handler:
    """A Lambda handler around the app."""

    def at_root(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Without the stage that serverless-wsgi puts into SCRIPT_NAME: `/$default` is in no URL."""
        environ["SCRIPT_NAME"] = ""
        environ["HTTP_X_REQUEST_ID"] = getattr(environ["serverless.context"], "aws_request_id", "")
        return app(environ, start_response)

    def handler(event: Any, context: object) -> dict[str, Any]:
        try:
            checked = msgspec.to_builtins(msgspec.convert(event, _Event))
            # API Gateway has decoded the path, and serverless-wsgi decodes it again.
            return _handle_request(at_root, checked | {"rawPath": quote(checked["rawPath"])}, context)
        except (msgspec.ValidationError, UnicodeEncodeError, binascii.Error) as error:
            return _not_an_event(error)

    return handler


def _not_an_event(error: Exception) -> dict[str, Any]:
    problem = Problem(400, f"Not an event of an HTTP API, payload format 2.0: {error}").response()
    return {
        "statusCode": problem.status_code,
        "headers": dict(problem.headers),
        "body": problem.get_data(as_text=True),
        "isBase64Encoded": False,
    }


app = create_app_from_environ()
register_before_snapshot(app.before_snapshot)
register_after_restore(app.after_restore)
handler = create_handler(app)
