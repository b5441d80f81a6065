"""The users that the load reads: readers with 10 to 100 followers and a picture, created through the API."""

import base64
import time
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import httpx

from ops.stack import UsageError

type User = dict[str, Any]

TIMEOUT = 30  # seconds
PICTURE = b"GIF89a" + bytes(2000)
FOLLOWERS: list[User] = [{"id": f"load-follower-{number}", "name": f"Follower {number}"} for number in range(100)]
READERS: list[User] = [
    {
        "id": f"load-reader-{number}",
        "name": f"Reader {number}",
        "followers": [follower["id"] for follower in FOLLOWERS[: round(10 + 90 * number / 19)]],
        "profile_pic": base64.b64encode(PICTURE).decode(),
    }
    for number in range(20)
]


def prepare(url: str, token: str | None, pause: float, at_a_time: int) -> None:
    """Create those that are missing; then fill the cache, and start as many instances as are asked `at_a_time`. The
    requests have a `pause` in seconds between them. Raises UsageError.
    """
    try:
        with httpx.Client(base_url=url, timeout=TIMEOUT) as client, ThreadPoolExecutor(at_a_time) as threads:
            headers = {"Authorization": f"Bearer {token}"} if token else {"X-User-Id": READERS[0]["id"]}
            if client.get(f"/users/{READERS[-1]['id']}").status_code != HTTPStatus.OK:  # the last one that is created
                _create(client, headers, pause)
            _must_be_allowed(client.get(f"/profile-pic/{READERS[0]['id']}", headers=headers))
            fills: list[Future[httpx.Response]] = []
            for reader in READERS:
                time.sleep(pause)
                fills.append(threads.submit(client.get, f"/cached-followers/{reader['id']}"))
            for fill in fills:
                fill.result()
    except httpx.HTTPError as error:
        raise UsageError(f"{url} does not answer: {str(error) or type(error).__name__}") from None


def _create(client: httpx.Client, headers: dict[str, str], pause: float) -> None:
    users = (*FOLLOWERS, *READERS)
    print(f"creating up to {len(users)} users at {client.base_url}, {len(users) * pause:.0f} s or longer", flush=True)
    for user in users:
        time.sleep(pause)
        answer = client.put(f"/users/{user['id']}", json=user, headers={"If-None-Match": "*"} | headers)
        _must_be_allowed(answer)
        if answer.status_code not in (HTTPStatus.CREATED, HTTPStatus.PRECONDITION_FAILED):
            raise UsageError(f"{answer.url} answers {answer.status_code} to a PUT of a new user")


def _must_be_allowed(answer: httpx.Response) -> None:
    if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise UsageError(
            f"{answer.url} answers {answer.status_code}: set TOKEN to an admin's who is {FOLLOWERS[0]['id']}"
        )
