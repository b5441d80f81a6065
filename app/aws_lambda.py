"""The Lambda handler, behind an API Gateway HTTP API (payload format 2.0)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import serverless_wsgi  # pyright: ignore[reportMissingTypeStubs]

from app.bootstrap import create_app_from_environ
from app.http.problems import PROBLEM_JSON

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

serverless_wsgi.TEXT_MIME_TYPES.append(PROBLEM_JSON)
_handle_request: Any = serverless_wsgi.handle_request  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

app = create_app_from_environ()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event."""
    return _handle_request(_at_root, event, context)


def _at_root(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """The app without the stage that serverless-wsgi puts into SCRIPT_NAME: `/$default` is in no URL."""
    environ["SCRIPT_NAME"] = ""
    return app(environ, start_response)
