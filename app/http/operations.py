"""What each route takes and returns, for the OpenAPI document. Keys are the names of the views in `app.http.routes`."""

from typing import Any, NamedTuple

from app.http import schemas
from app.model import UserInput

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


class Answer(NamedTuple):
    """A successful response. `body` is the type of the JSON; other bodies have `media_types`."""

    description: str
    body: Any = None
    headers: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()


class Operation(NamedTuple):
    """`problems` are the statuses of its errors; `caller` says whether it needs to know the caller."""

    summary: str
    answers: dict[int, Answer]
    problems: tuple[int, ...] = ()
    parameters: tuple[str, ...] = ()
    body: Any = None
    caller: bool = False


SAME = Answer("The current version is one of those in If-None-Match.", headers=("ETag",))
CREATED = Answer("The user was created.", schemas.UserBody, ("ETag", "Location"))
NAMES = "The names, in order; unknown ids are left out."


def _read(
    summary: str,
    answer: Answer,
    problems: tuple[int, ...] = (),
    parameters: tuple[str, ...] = (),
    caller: bool = False,
) -> Operation:
    """A GET, which can be conditional."""
    answers = {200: answer._replace(headers=(*answer.headers, "ETag")), 304: SAME}
    return Operation(summary, answers, (*problems, 412), (*parameters, "If-Match", "If-None-Match"), None, caller)


OPERATIONS = {
    "bootstrap": Operation(
        "Write the demo users over any users with their ids",
        {201: Answer("The demo users were written.", schemas.Bootstrapped)},
        (503,),
        caller=True,
    ),
    "create_user": Operation("Create a user", {201: CREATED}, (400, 409, 413, 415, 503), body=UserInput, caller=True),
    "list_users": _read(
        "List users, a page at a time", Answer("A page.", schemas.UserPage, ("Link?",)), (400, 503), ("limit", "cursor")
    ),
    "get_user": _read(
        "Get a user from the store", Answer("The user.", schemas.UserBody), (400, 404, 503), ("user_id",)
    ),
    "put_user": Operation(
        "Replace a user, or create one under this id",
        {200: Answer("The user was replaced.", schemas.UserBody, ("ETag",)), 201: CREATED},
        (400, 412, 413, 415, 428, 503),
        ("user_id", "If-Match", "If-None-Match"),
        UserInput,
        caller=True,
    ),
    "delete_user": Operation(
        "Delete a user",
        {204: Answer("The user was deleted.")},
        (400, 404, 412, 503),
        ("user_id", "If-Match", "If-None-Match"),
        caller=True,
    ),
    "get_cached_user": _read(
        "Get a user through the cache",
        Answer("The user.", schemas.UserBody, ("Cache-Status",)),
        (400, 404, 503),
        ("user_id",),
    ),
    "get_followers": _read(
        "Get the names of a user's followers", Answer(NAMES, schemas.FollowerNames), (400, 404, 503), ("user_id",)
    ),
    "get_cached_followers": _read(
        "Get the names of a user's followers through the cache",
        Answer(NAMES, schemas.FollowerNames, ("Cache-Status",)),
        (400, 404, 503),
        ("user_id",),
    ),
    "get_profile_pic": _read(
        "Get a user's picture, as the user or a follower",
        Answer("The picture.", media_types=PICTURES),
        (400, 403, 404, 503),
        ("user_id", "X-User-Id"),
        caller=True,
    ),
    "get_cached_profile_pic": _read(
        "Get a user's picture through the cache, as the user or a follower",
        Answer("The picture.", headers=("Cache-Status",), media_types=PICTURES),
        (400, 403, 404, 503),
        ("user_id", "X-User-Id"),
        caller=True,
    ),
    "live": _read("Check that the process is alive", Answer("It is.", schemas.Alive)),
    "ready": _read("Check that the store answers", Answer("It does.", schemas.Ready), (503,)),
}
