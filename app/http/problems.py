"""Errors as problem details (RFC 9457), the same on every runtime."""

import traceback
from collections.abc import Mapping

import msgspec
from flask import Flask, Response
from msgspec import UNSET
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from app.data import StoreUnavailable, UserExists
from app.http.access_log import request_fields
from app.http.schemas import ProblemBody
from app.metrics import Metrics
from app.users import NotAFollower, PictureNotFound, UserNotFound

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = 2


class Problem(Exception):
    """An error response. `field` is the part of the request that is wrong."""

    def __init__(
        self, status: int, detail: str, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field, self.headers = status, detail, field, headers or {}

    def response(self) -> Response:
        title, field = HTTP_STATUS_CODES[self.status], UNSET if self.field is None else self.field
        body = ProblemBody("about:blank", title, self.status, self.detail, field)
        return Response(msgspec.json.encode(body), self.status, self.headers, content_type=PROBLEM_JSON)


def register(app: Flask, metrics: Metrics) -> None:
    """Turn every exception into a problem, and log those that are not the client's fault."""

    def store_unavailable(error: StoreUnavailable) -> Response:
        metrics.log("ERROR", f"store unavailable: {error}", request_fields())
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return Problem(503, "The store does not answer; try again.", headers=headers).response()

    def unexpected(error: Exception) -> Response:
        metrics.log("ERROR", "".join(traceback.format_exception(error)), request_fields())
        return Problem(500, "Something is wrong with this service; it has been logged.").response()

    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(UserNotFound, lambda e: Problem(404, f"There is no user {str(e)!r}.").response())
    app.register_error_handler(
        PictureNotFound, lambda e: Problem(404, f"The user {str(e)!r} has no picture.").response()
    )
    app.register_error_handler(UserExists, lambda e: Problem(409, f"The id {str(e)!r} is taken.", "id").response())
    app.register_error_handler(NotAFollower, _not_a_follower)
    app.register_error_handler(StoreUnavailable, store_unavailable)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(Exception, unexpected)


def _not_a_follower(error: NotAFollower) -> Response:
    return Problem(403, f"Only followers of {str(error)!r} may see the picture.").response()


def _http_exception(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return Response(status=error.code, headers=error.get_headers())
    headers = {k: v for k, v in error.get_headers() if k.lower() not in ("content-type", "content-length")}
    if "Allow" in headers:  # werkzeug builds it from a set, in an order that differs between processes
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
    return Problem(error.code, error.description or "", headers=headers).response()
