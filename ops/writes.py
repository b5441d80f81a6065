"""The checks that create users."""

import base64
from collections.abc import Iterator
from functools import partial

from ops import transcript
from ops.deployment import Deployment, Skipped, Wrong
from ops.reads import READS, Check, answer, pages, read_until_hit, strong
from ops.transcript import Step

PICTURE = b"\x89PNG\r\n\x1a\n"


def checks(deployment: Deployment) -> Iterator[Check]:
    for step in transcript.writes(deployment.prefix):
        yield str(step), partial(answer, deployment, step)
    yield "versions of a user", partial(versions, deployment)
    yield "cache after a write", partial(cache, deployment)
    yield "pictures", partial(pictures, deployment)
    yield "pages of users, with ours", partial(pages, deployment)


def versions(deployment: Deployment) -> str:
    user = {"id": f"{deployment.prefix}versions", "name": "Ada"}
    path = f"/users/{user['id']}"
    first = strong(create(deployment, user))
    read = deployment.ask(Step("GET", path, 200)).headers["etag"]
    if strong(read) != first:
        raise Wrong(f"POST returned ETag {first}, but GET returns {read}")
    deployment.ask(Step("GET", path, 304, headers={"if-none-match": read}))
    changed = user | {"name": "Grace"}
    second = deployment.ask(Step("PUT", path, 200, changed, headers={"if-match": first})).headers["etag"]
    if strong(second) == first:
        raise Wrong(f"a PUT did not change ETag {first}")
    deployment.ask(Step("PUT", path, 412, user, headers={"if-match": first}))
    expect_name(deployment, path, "Grace")
    return "a PUT creates a new version; an old version gets 412"


def cache(deployment: Deployment) -> str:
    user = {"id": f"{deployment.prefix}cache", "name": "Ada"}
    path = f"/cached-users/{user['id']}"
    create(deployment, user)
    first = deployment.ask(Step("GET", path, 200)).headers["cache-status"]
    if "fwd=" not in first:
        raise Wrong(f"the first read of a new user is {first}")
    last = read_until_hit(deployment, user["id"])
    if "; hit" not in last:
        raise Wrong(f"no hit in {READS} reads but {last}")
    deployment.ask(Step("PUT", f"/users/{user['id']}", 200, user | {"name": "Grace"}, headers={"if-match": "*"}))
    for _ in range(2):
        expect_name(deployment, path, "Grace")
    return f"{first}, then {last}, and the new name after a PUT"


def pictures(deployment: Deployment) -> str:
    if deployment.contract.auth:
        raise Skipped("only followers may see pictures, and TOKEN's user may not be one")
    user_id = f"{deployment.prefix}picture"
    create(deployment, {"id": user_id, "name": "Ada", "profile_pic": base64.b64encode(PICTURE).decode()})
    wanted = {
        "content-type": "image/png",
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-cache",
    }
    for route in ("profile-pic", "cached-profile-pic"):
        response = deployment.ask(Step("GET", f"/{route}/{user_id}", 200, headers={"x-user-id": user_id}))
        for name, value in wanted.items():
            if response.headers.get(name) != value:
                raise Wrong(f"/{route} has {name}: {response.headers.get(name)} instead of {value}")
        if response.content != PICTURE:
            raise Wrong(f"/{route} returned {len(response.content)} different bytes")
    return ", ".join(wanted.values())


def create(deployment: Deployment, user: dict[str, str]) -> str:
    """The new user's ETag."""
    return deployment.ask(Step("POST", "/users", 201, user)).headers["etag"]


def expect_name(deployment: Deployment, path: str, name: str) -> None:
    found = deployment.ask(Step("GET", path, 200)).json()["name"]
    if found != name:
        raise Wrong(f"{path} has the name {found} instead of {name}")
