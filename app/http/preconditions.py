"""`If-Match` and `If-None-Match` (RFC 9110, 13). POST ignores them: it does not change the resource at its path."""

from flask import Flask, Response, request

from app.http.problems import Problem


def register(app: Flask) -> None:
    """Add an ETag to successful responses to GET and HEAD, and evaluate the preconditions of these requests."""
    app.after_request(_make_conditional)


def are_given() -> bool:
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def check(version: str | None) -> None:
    """Raises Problem 412 unless the preconditions hold for this version, or None if there is no resource."""
    if not _if_match_holds(version):
        raise _failed("If-Match")
    if not _if_none_match_holds(version):
        raise _failed("If-None-Match")


def _make_conditional(response: Response) -> Response:
    if request.method not in ("GET", "HEAD") or response.status_code != 200:
        return response
    response.add_etag()
    version, _ = response.get_etag()
    if not _if_match_holds(version):
        return _failed("If-Match").response()
    if not _if_none_match_holds(version):
        response.set_data(b"")
        response.status_code = 304
    return response


def _if_match_holds(version: str | None) -> bool:
    """By strong comparison (RFC 9110, 13.1.1)."""
    tags = request.if_match
    return "If-Match" not in request.headers or (version is not None and (tags.star_tag or tags.is_strong(version)))


def _if_none_match_holds(version: str | None) -> bool:
    """By weak comparison (RFC 9110, 13.1.2)."""
    return "If-None-Match" not in request.headers or version is None or not request.if_none_match.contains_weak(version)


def _failed(header: str) -> Problem:
    details = {
        "If-Match": "The version has changed, or there is none.",
        "If-None-Match": "It exists already, or has one of these versions.",
    }
    return Problem(412, details[header], header)
