"""The users that the load reads: readers with 10 to 100 followers and a picture, created through the API."""

import base64
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx

from ops.stack import UsageError

FOLLOWERS = [f"load-follower-{number}" for number in range(100)]
READERS = [f"load-reader-{number}" for number in range(20)]
PICTURE = b"GIF89a" + bytes(2000)
TIMEOUT = 30  # seconds


def create(url: str, token: str | None, rate: float) -> None:
    """Create those that are missing, at most `rate` a second. Raises UsageError."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT) as client:
            if client.get(f"/users/{READERS[-1]}").status_code == httpx.codes.OK:
                return  # the last one that is created
            due = time.monotonic()
            for user in _users():
                time.sleep(max(0, due - time.monotonic()))
                due = time.monotonic() + 1 / rate
                answer = client.put(f"/users/{user['id']}", json=user, headers={"If-None-Match": "*"})
                if answer.status_code not in (httpx.codes.CREATED, httpx.codes.PRECONDITION_FAILED):
                    raise UsageError(f"PUT {answer.url} answers {answer.status_code}{_fix(answer.status_code)}")
    except httpx.HTTPError as error:
        raise UsageError(f"{url} does not answer: {error}") from None


def _users() -> Iterator[dict[str, Any]]:
    yield from ({"id": user, "name": f"Follower {number}"} for number, user in enumerate(FOLLOWERS))
    picture = base64.b64encode(PICTURE).decode()
    for number, user in zip(count(), READERS):
        followers = FOLLOWERS[: round(10 + 90 * number / (len(READERS) - 1))]
        yield {"id": user, "name": f"Reader {number}", "followers": followers, "profile_pic": picture}


def _fix(status: int) -> str:
    if status not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return ""
    return ": set TOKEN to a token that may write every user"
