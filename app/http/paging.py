"""`limit` and `cursor` of a list. The cursor is opaque to clients: the last id of the previous page, in base64url."""

import base64
import binascii

from flask import Request

from app.http.problems import Problem
from app.model import is_user_id

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


def read(request: Request) -> tuple[int, str | None]:
    """The number of users, and the id after which they begin. Raises Problem with the parameter."""
    limit = request.args.get("limit", str(DEFAULT_LIMIT))
    if not limit.isascii() or not limit.isdigit() or len(limit) > 3 or not 1 <= int(limit) <= MAX_LIMIT:
        raise Problem(400, f"limit must be a whole number from 1 to {MAX_LIMIT}.", "limit")
    cursor = request.args.get("cursor")
    return int(limit), None if cursor is None else _decode(cursor)


def encode(user_id: str) -> str:
    return base64.urlsafe_b64encode(user_id.encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        user_id = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        user_id = ""
    if not is_user_id(user_id):
        raise Problem(400, "cursor must be the next_cursor of a previous page.", "cursor")
    return user_id
