"""One JSON line for each request: its log entry, and its `ProcessingTime`. No body, no query and no id is in it."""

import re
import secrets
import time
from itertools import chain, repeat

from flask import Flask, Response, g, request

from app.metrics import Metrics, Value

METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
REQUEST_ID = re.compile(r"[A-Za-z0-9._=/+-]{1,128}")
# W3C Trace Context, Cloud Run's and API Gateway's own; the first that is there counts.
TRACE_HEADERS = ("traceparent", "X-Cloud-Trace-Context", "X-Amzn-Trace-Id")


def register(app: Flask, metrics: Metrics) -> None:
    """Measure every request of `app`, and answer its id as `X-Request-Id`."""
    cold_start = chain([True], repeat(False))

    def start() -> None:
        g.started = time.perf_counter()
        g.cold_start = next(cold_start)
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)

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
    trace = next((value for name in TRACE_HEADERS if (value := request.headers.get(name))), None)
    return {"request_id": g.request_id, "trace": trace[:256] if trace else None}


def _route() -> str:
    """The template, such as /users/{user_id}: ids would make a metric each."""
    return request.url_rule.rule.replace("<", "{").replace(">", "}") if request.url_rule else "unknown"
