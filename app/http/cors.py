"""CORS, the same on every runtime (https://fetch.spec.whatwg.org/#http-cors-protocol).

Callers are identified by tokens and not by cookies, so no page may send credentials.
"""

from collections.abc import Collection

from flask import Flask, Response, request

METHODS = "DELETE, GET, HEAD, POST, PUT"
REQUEST_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, X-User-Id"
RESPONSE_HEADERS = "Cache-Status, ETag, Link, Location, Retry-After, X-Request-Id"
MAX_AGE = 7200  # seconds for which a browser may cache the preflight; Chrome's maximum


def register(app: Flask, origins: Collection[str]) -> None:
    """Let pages of exactly these origins call `app` and read its errors. Without origins, no CORS header is sent."""

    def answer_preflight() -> Response | None:
        """Answer for every path, so that a page can see a 404."""
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if not asks or request.headers.get("Origin") not in origins:
            return None
        response = Response(status=204)
        response.headers.remove("Content-Type")
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
        response.headers["Access-Control-Max-Age"] = str(MAX_AGE)
        return response

    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = RESPONSE_HEADERS
        return response

    if origins:
        app.before_request(answer_preflight)
        app.after_request(allow)
