"""Bodies of requests and responses: JSON by msgspec. Errors name the invalid field."""

import json
import re
from collections.abc import Iterable, Mapping

import msgspec
from flask import Request, Response
from werkzeug.exceptions import RequestEntityTooLarge

from app.http import paging
from app.http.problems import Problem
from app.http.schemas import UserBody
from app.model import User, UserInput, picture_type

MAX_BODY_BYTES = 400 * 1024
MAX_PAGE_BYTES = 3 * 2**20
"""Limit of a page's JSON. Lambda limits a response to 6 MB, in which quotation marks are escaped
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""


def decode_user(request: Request) -> UserInput:
    """The user in the body. Raises Problem: 413, 415, or 400 with the field."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Problem(415, "The body must not be encoded.", "Content-Encoding", {"Accept-Encoding": "identity"})
    if request.mimetype != "application/json":
        raise Problem(415, "The body must be application/json.", headers={"Accept-Post": "application/json"})
    body = _read(request)
    try:
        user = msgspec.json.decode(body, type=UserInput)
    except msgspec.ValidationError as error:
        raise Problem(400, str(error), _field(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {error}", "body") from None
    json.loads(body, object_pairs_hook=_refuse_duplicates)
    return user


def user_response(user: User, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A user without the picture. Its version is the ETag."""
    return json_response(_body(user), status, {"ETag": f'"{user.version}"'} | dict(headers or {}))


def list_response(users: Iterable[User], limit: int) -> Response:
    """A page of up to `limit` users, fewer if it would be too large, and the next page's cursor, also as a Link
    (RFC 8288).

    Reads `users` up to the first one of the next page.
    """
    page: list[msgspec.Raw] = []
    size, last, cursor = 0, "", None
    for user in users:
        encoded = msgspec.json.encode(_body(user))
        size += len(encoded)
        if page and (len(page) == limit or size > MAX_PAGE_BYTES):
            cursor = paging.encode(last)
            break
        page.append(msgspec.Raw(encoded))
        last = user.id
    link = {"Link": f'</users?limit={limit}&cursor={cursor}>; rel="next"'} if cursor else None
    return json_response({"users": page, "next_cursor": cursor}, headers=link)


def picture_response(user: User, headers: Mapping[str, str] | None = None) -> Response:
    """The picture, which only this viewer may cache."""
    picture = user.profile_pic or b""
    fixed = {"ETag": f'"{user.version}"', "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(picture, 200, fixed | dict(headers or {}), content_type=picture_type(picture))


def no_content(headers: Mapping[str, str] | None = None) -> Response:
    response = Response(status=204, headers=headers)
    response.headers.remove("Content-Type")
    return response


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, content_type="application/json")


def _read(request: Request) -> bytes:
    """The whole body.

    werkzeug refuses a body with too large a Content-Length, but truncates one without; gunicorn ends a body early that
    the client did not send completely.
    """
    body = request.get_data()
    if request.content_length is None:
        if len(body) == MAX_BODY_BYTES and request.input_stream.read(1):
            raise RequestEntityTooLarge
    elif len(body) < request.content_length:
        raise Problem(400, f"The body has {len(body)} of {request.content_length} bytes.", "body")
    return body


def _body(user: User) -> UserBody:
    return UserBody(user.id, user.name, user.followers)


def _field(message: str) -> str:
    """The field in an error of msgspec: "... - at `$.followers[0]`", or "... required field `name`"."""
    if path := re.search(r"at `\$\.?(.+)`$", message):
        return path[1]
    if name := re.match(r"Object .*field `(.+)`|`(\w+)` ", message):
        return name[1] or name[2]
    return "body"


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen: dict[str, object] = {}
    for name, value in pairs:
        if name in seen:
            raise Problem(400, f"The body has `{name}` twice.", name)
        seen[name] = value
    return seen
