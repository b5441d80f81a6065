"""One JSON line for each request: its log entry, and its `ProcessingTime`. No body, no query and no id is in it."""

import re
import secrets
import time

from flask import Response, g, request

from app.lifecycle import App
from app.metrics import Metrics, Value

METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
PLATFORM_REQUEST_ID = "better_together.request_id"
"""Where a runtime that has an id of its own for each request puts it into the WSGI environ."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._=/+-]{1,128}")
# W3C Trace Context, Cloud Run's and API Gateway's own; the first that is there counts.
TRACE_HEADERS = ("traceparent", "X-Cloud-Trace-Context", "X-Amzn-Trace-Id")
# The first two have it, after a version (https://www.w3.org/TR/trace-context/#trace-id) or in front.
TRACE_ID = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})\b")


def register(app: App, metrics: Metrics, trace_project: str) -> None:
    """Measure every request of `app`, and answer its id as `X-Request-Id`: the client's, else the platform's, else new.

    With a `trace_project` the lines are tied to Cloud Trace's traces
    (https://cloud.google.com/logging/docs/structured-logging#special-payload-fields).
    """

    def start() -> None:
        g.started = time.perf_counter()
        g.cold_start = app.cold_start.once()
        given = request.headers.get("X-Request-Id", "")
        platform = request.environ.get(PLATFORM_REQUEST_ID)
        g.request_id = given if REQUEST_ID.fullmatch(given) else platform or secrets.token_hex(16)
        g.trace = _trace(trace_project)

    def finish(response: Response) -> Response:
        route = _route()
        metrics.emit(
            {"API": f"{request.method if request.method in METHODS else 'OTHER'}:{route}"},
            {
                "ProcessingTime": round((time.perf_counter() - g.started) * 1000, 3),
                "Errors": int(response.status_code >= 500),
                "ColdStarts": int(g.cold_start),
            },
            {"severity": "ERROR" if response.status_code >= 500 else "INFO"}
            | request_fields()
            | {
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
    """What ties a log line to its request."""
    return {"request_id": g.request_id, **g.trace}


def _trace(project: str) -> dict[str, Value]:
    given = next((value for name in TRACE_HEADERS if (value := request.headers.get(name))), None)
    fields: dict[str, Value] = {"trace": given[:256] if given else None}
    if project and given and (found := TRACE_ID.match(given)):
        fields["logging.googleapis.com/trace"] = f"projects/{project}/traces/{found[1]}"
    return fields


def _route() -> str:
    """The template, such as /users/{user_id}: ids would make a metric each."""
    return request.url_rule.rule.replace("<", "{").replace(">", "}") if request.url_rule else "unknown"
