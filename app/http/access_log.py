"""The access log: one JSON line per request, with its metrics. It contains no bodies, queries or user ids."""

import re
import secrets
import time

from flask import Response, g, request

from app.lifecycle import App
from app.metrics import Metrics, Value

PLATFORM_REQUEST_ID = "better_together.request_id"
"""The WSGI environ's key for the request id of a platform that has one."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._=/+-]{1,128}")
# W3C Trace Context, and the headers of Cloud Run and API Gateway; the first that is present counts.
TRACE_HEADERS = ("traceparent", "X-Cloud-Trace-Context", "X-Amzn-Trace-Id")
# A trace id of 32 digits: the second field of `traceparent` (https://www.w3.org/TR/trace-context/#trace-id), the first
# of `X-Cloud-Trace-Context`.
TRACE_ID = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})\b")


def register(app: App, metrics: Metrics, trace_project: str) -> None:
    """Log and measure every request to `app`, and return its id as `X-Request-Id`: the client's, else the platform's,
    else a new one.

    With a `trace_project`, Cloud Logging links the lines to traces
    (https://cloud.google.com/logging/docs/structured-logging#special-payload-fields).
    """

    def start() -> None:
        g.started = time.perf_counter()
        g.cold_start = app.cold_start.once()
        given = request.headers.get("X-Request-Id", "")
        platform = request.environ.get(PLATFORM_REQUEST_ID)
        g.request_id = given if REQUEST_ID.fullmatch(given) else platform or secrets.token_hex(16)
        g.platform = {"platform_request_id": platform} if platform else {}
        g.trace = _trace(trace_project)

    def finish(response: Response) -> Response:
        route = _route()
        metrics.emit(
            {
                "ProcessingTime": round((time.perf_counter() - g.started) * 1000, 3),
                "Errors": int(response.status_code >= 500),
                "ColdStarts": int(g.cold_start),
            },
            {"severity": "ERROR" if response.status_code >= 500 else "INFO"}
            | request_fields()
            | g.platform
            | {
                "API": _api(route),
                "method": request.method,
                "route": route,
                "status": response.status_code,
                "cold_start": g.cold_start,
                "cache": response.headers.get("Cache-Status"),
            },
        )
        response.headers["X-Request-Id"] = g.request_id
        return response

    app.before_request(start)
    app.after_request(finish)


def request_fields() -> dict[str, Value]:
    """The fields that link a log line to its request."""
    return {"request_id": g.request_id, **g.trace}


def _trace(project: str) -> dict[str, Value]:
    given = next((value for name in TRACE_HEADERS if (value := request.headers.get(name))), None)
    fields: dict[str, Value] = {"trace": given[:256] if given else None}
    if project and given and (found := TRACE_ID.match(given)):
        fields["logging.googleapis.com/trace"] = f"projects/{project}/traces/{found[1]}"
    return fields


def _route() -> str:
    """The route's template, such as /users/{user_id}, because each path with an id would be a metric of its own."""
    return request.url_rule.rule.replace("<", "{").replace(">", "}") if request.url_rule else "unknown"


def _api(route: str) -> str:
    """The operation, such as GET:/users/{user_id}, with HEAD as its GET. Each is a metric that is billed, so everything
    else is OTHER: OPTIONS, unknown paths and methods, and the documentation.
    """
    if request.method == "OPTIONS" or request.blueprint != "users":
        return "OTHER"
    return f"{'GET' if request.method == 'HEAD' else request.method}:{route}"
