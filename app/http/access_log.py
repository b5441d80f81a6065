"""The access log: one JSON line per request, with its metrics. It contains no bodies, queries or user ids."""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Request, Response, g, request
from flask.globals import request_ctx

from app.lifecycle import App
from app.metrics import Metrics, Value

PLATFORM_REQUEST_ID = "better_together.request_id"
"""The WSGI environ's key for the request id of a platform that has one."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._=/+-]{1,128}")
# W3C Trace Context, and the headers of Cloud Run and API Gateway; the first that is present counts.
TRACE_HEADERS = ("HTTP_TRACEPARENT", "HTTP_X_CLOUD_TRACE_CONTEXT", "HTTP_X_AMZN_TRACE_ID")
# A trace id of 32 digits: the second field of `traceparent` (https://www.w3.org/TR/trace-context/#trace-id), the first
# of `X-Cloud-Trace-Context`.
TRACE_ID = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})\b")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a request before it is answered: `fields` link its log lines to it."""

    started: float
    request_id: str
    fields: Mapping[str, Value]
    platform: Mapping[str, Value]
    cold_start: bool


def register(app: App, metrics: Metrics, trace_project: str) -> None:
    """Log and measure every request to `app`, and return its id as `X-Request-Id`: the client's, else the platform's,
    else a new one.

    With a `trace_project`, Cloud Logging links the lines to traces
    (https://cloud.google.com/logging/docs/structured-logging#special-payload-fields).
    """

    def start() -> None:
        started, environ = time.perf_counter(), request.environ
        given, platform = environ.get("HTTP_X_REQUEST_ID", ""), environ.get(PLATFORM_REQUEST_ID)
        request_id = given if REQUEST_ID.fullmatch(given) else platform or secrets.token_hex(16)
        fields = {"request_id": request_id, **_trace(environ, trace_project)}
        ids = {"platform_request_id": platform} if platform else {}
        g.entry = Entry(started, request_id, fields, ids, app.cold_start.once())

    def finish(response: Response) -> Response:
        asked = request_ctx.request  # not through its proxy, which is slow
        entry: Entry = g.entry
        failed = response.status_code >= 500
        route = _route(asked.url_rule.rule) if asked.url_rule else "unknown"
        metrics.emit(
            {
                "ProcessingTime": round((time.perf_counter() - entry.started) * 1000, 3),
                "Errors": int(failed),
                "ColdStarts": int(entry.cold_start),
            },
            {
                "severity": "ERROR" if failed else "INFO",
                **entry.fields,
                **entry.platform,
                "API": _api(asked, route),
                "method": asked.method,
                "route": route,
                "status": response.status_code,
                "cold_start": entry.cold_start,
                "cache": response.headers.get("Cache-Status"),
            },
        )
        response.headers["X-Request-Id"] = entry.request_id
        return response

    app.before_request(start)
    app.after_request(finish)


def request_fields() -> Mapping[str, Value]:
    """The fields that link a log line to its request."""
    return g.entry.fields


def _trace(environ: Mapping[str, Any], project: str) -> dict[str, Value]:
    given = next((value for name in TRACE_HEADERS if (value := environ.get(name))), None)
    fields: dict[str, Value] = {"trace": given[:256] if given else None}
    if project and given and (found := TRACE_ID.match(given)):
        fields["logging.googleapis.com/trace"] = f"projects/{project}/traces/{found[1]}"
    return fields


@cache
def _route(rule: str) -> str:
    """The route's template, such as /users/{user_id}, because each path with an id would be a metric of its own."""
    return rule.replace("<", "{").replace(">", "}")


def _api(asked: Request, route: str) -> str:
    """The operation, such as GET:/users/{user_id}, with HEAD as its GET. Each is a metric that is billed, so everything
    else is OTHER: OPTIONS, unknown paths and methods, and the documentation.
    """
    if asked.method == "OPTIONS" or asked.blueprint != "users":
        return "OTHER"
    return f"{'GET' if asked.method == 'HEAD' else asked.method}:{route}"
