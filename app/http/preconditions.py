"""`If-Match` and `If-None-Match` (RFC 9110, 13). POST ignores them: it does not change what its path names."""

from flask import Flask, Response, request

from app.http.problems import Problem


def register(app: Flask) -> None:
    """Give the answers of GET and HEAD an ETag, and evaluate the preconditions of those that would be 200."""
    app.after_request(_make_conditional)


def are_given() -> bool:
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def check(version: str | None) -> None:
    """Raises Problem 412 unless the request may change what has this version; None: there is nothing."""
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
        "If-Match": "There is another version by now, or none.",
        "If-None-Match": "There is one already, or one of these versions.",
    }
    return Problem(412, details[header], header)
