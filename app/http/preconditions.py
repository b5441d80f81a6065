"""`If-Match` and `If-None-Match` (RFC 9110, 13), on every method that has to do with a representation."""

from flask import Flask, Response, request

from app.http.problems import Problem

NO_ETAG = "\0"
"""The version of what is there but has no ETag: no tag equals it."""


def register(app: Flask) -> None:
    """Evaluate the preconditions of every GET and HEAD that would be answered 200."""
    app.after_request(_evaluate)


def are_given() -> bool:
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def check(version: str | None) -> None:
    """Raises Problem 412 unless the request's preconditions hold for this version; None: there is nothing."""
    if not _if_match_holds(version):
        raise _if_match_failed()
    if not _if_none_match_holds(version):
        raise Problem(412, "There is one already, or one of this version.", "If-None-Match")


def _evaluate(response: Response) -> Response:
    if request.method not in ("GET", "HEAD") or response.status_code != 200 or not are_given():
        return response
    version = response.get_etag()[0] or NO_ETAG
    if not _if_match_holds(version):
        return _if_match_failed().response()
    if not _if_none_match_holds(version):
        response.set_data(b"")
        response.status_code = 304
    return response


def _if_match_failed() -> Problem:
    return Problem(412, "There is another version by now, or none.", "If-Match")


def _if_match_holds(version: str | None) -> bool:
    """By strong comparison (RFC 9110, 13.1.1)."""
    tags = request.if_match
    return "If-Match" not in request.headers or (version is not None and (tags.star_tag or tags.is_strong(version)))


def _if_none_match_holds(version: str | None) -> bool:
    """By weak comparison (RFC 9110, 13.1.2)."""
    tags = request.if_none_match
    return "If-None-Match" not in request.headers or not (
        version is not None and (tags.star_tag or tags.contains_weak(version))
    )
