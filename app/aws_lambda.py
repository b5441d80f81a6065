"""The Lambda handler, behind an API Gateway HTTP API or a function URL."""

import base64
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request, request_finished
from snapshot_restore_py import (  # pyright: ignore[reportMissingTypeStubs]
    register_after_restore,
    register_before_snapshot,
)
from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

from app.aws_event import to_environ
from app.bootstrap import create_app_from_environ
from app.http.observe import PLATFORM_REQUEST_ID
from app.http.problems import Problem

type Handler = Callable[[Any, object], dict[str, Any]]

CONTENT_TYPES = "better_together.content_types"


def create_handler(app: Flask) -> Handler:
    """A Lambda handler around the app. Raises NotAnHttpEvent, and nothing else."""

    def keep_content_type(_: Flask, response: Response, **__: Any) -> None:
        request.environ.get(CONTENT_TYPES, []).append(response.content_type)

    def handler(event: Any, context: object) -> dict[str, Any]:
        try:
            environ = to_environ(event)
        except Problem as problem:
            refusal = problem.response()
            return _answer(refusal.status_code, refusal.headers, refusal.get_data())
        environ[PLATFORM_REQUEST_ID] = getattr(context, "aws_request_id", "")
        environ[CONTENT_TYPES] = content_types = list[str | None]()
        chunks, status, headers = run_wsgi_app(app, environ, buffered=True)
        if status.startswith("304") and (content_type := content_types.pop()):
            # werkzeug strips it, API Gateway then says text/plain, and caches would store that (RFC 9111, 3.2).
            headers["Content-Type"] = content_type
        return _answer(int(status[:3]), headers, b"".join(chunks))

    request_finished.connect(keep_content_type, app, weak=False)
    return handler


def _answer(status: int, headers: Headers, body: bytes) -> dict[str, Any]:
    answer = {"statusCode": status, "headers": {name: ", ".join(headers.getlist(name)) for name, _ in headers}}
    try:
        return answer | {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return answer | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


app = create_app_from_environ()
register_before_snapshot(app.before_snapshot)
register_after_restore(app.after_restore)
handler = create_handler(app)
