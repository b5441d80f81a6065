"""One line for each request: its log entry, and its `ProcessingTime`."""

import time

from flask import Flask, Response, g, request

from app.metrics import Metrics


def register(app: Flask, metrics: Metrics) -> None:
    """Measure every request of `app`."""

    def start() -> None:
        g.started = time.perf_counter()

    def finish(response: Response) -> Response:
        route = request.url_rule.rule.replace("<", "{").replace(">", "}") if request.url_rule else "unknown"
        metrics.emit(
            {"API": f"{request.method}:{route}"},
            {
                "ProcessingTime": round((time.perf_counter() - g.started) * 1000, 3),
                "Errors": int(response.status_code >= 500),
            },
            {"status": response.status_code},
        )
        return response

    app.before_request(start)
    app.after_request(finish)
