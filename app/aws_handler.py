"""Lambda handlers, behind an API Gateway HTTP API or a function URL."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import serverless_wsgi  # pyright: ignore[reportMissingTypeStubs]
from flask import Flask, Response, request, request_finished

from app import aws_event
from app.http.access_log import PLATFORM_REQUEST_ID
from app.http.problems import PROBLEM_JSON, Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

serverless_wsgi.TEXT_MIME_TYPES.append(PROBLEM_JSON)
_handle_request: Any = serverless_wsgi.handle_request  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

type Handler = Callable[[Any, object], dict[str, Any]]

CONTENT_TYPES = "better_together.content_types"
# The app trusts no proxy headers, and serverless-wsgi puts the stage, `/$default`, into SCRIPT_NAME.
FIXED = {"SCRIPT_NAME": "", "SERVER_NAME": "lambda", "SERVER_PORT": "443", "wsgi.url_scheme": "https"}


def create_handler(app: Flask) -> Handler:
    """A Lambda handler for the app, which raises only NotAnHttpEvent."""

    def handler(event: Any, context: object) -> dict[str, Any]:
        try:
            cleaned = aws_event.clean(event)
        except Problem as problem:
            return _refuse(problem.response())
        content_types: list[str | None] = []

        def fixed(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            environ |= FIXED
            environ[PLATFORM_REQUEST_ID] = getattr(context, "aws_request_id", "")
            environ[CONTENT_TYPES] = content_types
            return app(environ, start_response)

        answer: dict[str, Any] = _handle_request(fixed, cleaned, context)
        if answer["statusCode"] == 304 and content_types:
            # werkzeug strips it, API Gateway adds text/plain, and caches would store that (RFC 9111, 3.2).
            answer["headers"]["Content-Type"] = content_types.pop()
        return answer

    def keep_content_type(_: Flask, response: Response, **__: Any) -> None:
        request.environ.get(CONTENT_TYPES, []).append(response.content_type)

    request_finished.connect(keep_content_type, app, weak=False)
    return handler


def _refuse(problem: Response) -> dict[str, Any]:
    return {
        "statusCode": problem.status_code,
        "headers": dict(problem.headers),
        "body": problem.get_data(as_text=True),
        "isBase64Encoded": False,
    }
