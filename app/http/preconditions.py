"""`If-Match` and `If-None-Match` of writes (RFC 9110, 13.1)."""

from flask import Request

from app.http.problems import Problem
from app.users import AcceptsVersion


def accepted_versions(request: Request) -> AcceptsVersion | None:
    """Which versions `If-Match` accepts, by strong comparison; None without the header."""
    if "If-Match" not in request.headers:
        return None
    etags = request.if_match
    return lambda version: etags.star_tag or etags.is_strong(version)


def must_be_new(request: Request) -> bool:
    """Whether `If-None-Match: *` allows a new user only. Raises Problem for any other value."""
    if "If-None-Match" not in request.headers or "If-Match" in request.headers:
        return False
    if not request.if_none_match.star_tag:
        raise Problem(400, "If-None-Match of a PUT must be *.", "If-None-Match")
    return True
