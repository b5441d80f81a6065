"""`If-Match` and `If-None-Match` (RFC 9110, 13). POST ignores them: it does not change the resource at its path."""

from flask import Flask, Response, request

from app.http.problems import Problem


def register(app: Flask) -> None:
    """Add an ETag to successful responses to GET and HEAD, and evaluate the preconditions of these requests."""
    app.after_request(_make_conditional)


def are_given() -> bool:
    return "HTTP_IF_MATCH" in request.environ or "HTTP_IF_NONE_MATCH" in request.environ


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
    if not are_given():
        return response
    version, _ = response.get_etag()
    if not _if_match_holds(version):
        return _failed("If-Match").response()
    if not _if_none_match_holds(version):
        response.set_data(b"")
        response.status_code = 304
    return response


def _if_match_holds(version: str | None) -> bool:
    """By strong comparison (RFC 9110, 13.1.1)."""
    if "HTTP_IF_MATCH" not in request.environ:
        return True
    tags = request.if_match
    return version is not None and (tags.star_tag or tags.is_strong(version))


def _if_none_match_holds(version: str | None) -> bool:
    """By weak comparison (RFC 9110, 13.1.2)."""
    if "HTTP_IF_NONE_MATCH" not in request.environ or version is None:
        return True
    return not request.if_none_match.contains_weak(version)


def _failed(header: str) -> Problem:
    details = {
        "If-Match": "The version has changed, or there is none.",
        "If-None-Match": "It exists already, or has one of these versions.",
    }
    return Problem(412, details[header], header)
