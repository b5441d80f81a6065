"""The routes: one table, one function each."""

from collections.abc import Callable
from typing import NamedTuple

from flask import Blueprint, Response, request

from app.http.bodies import decode_user, json_response, user_response
from app.http.cache_status import cache_status
from app.http.problems import Problem
from app.model import is_user_id
from app.users import Users


class Route(NamedTuple):
    """One operation. `view` takes the path's parameters."""

    method: str
    path: str
    view: Callable[..., Response]


class UserRoutes:
    """The users API over the use cases."""

    def __init__(self, users: Users, artifact_digest: str) -> None:
        self._users = users
        self._artifact_digest = artifact_digest

    def table(self) -> list[Route]:
        return [
            Route("POST", "/users", self.create_user),
            Route("GET", "/users/<user_id>", self.get_user),
            Route("GET", "/cached-users/<user_id>", self.get_cached_user),
            Route("GET", "/health/live", self.live),
            Route("GET", "/health/ready", self.ready),
        ]

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("users", __name__)
        for method, path, view in self.table():
            blueprint.add_url_rule(path, view.__name__, view, methods=[method])
        return blueprint

    def create_user(self) -> Response:
        user = self._users.create(decode_user(request))
        return user_response(user, 201, {"Location": f"/users/{user.id}"})

    def get_user(self, user_id: str) -> Response:
        return user_response(self._users.get(_checked(user_id)))

    def get_cached_user(self, user_id: str) -> Response:
        user, outcome = self._users.get_cached(_checked(user_id))
        return user_response(user, headers={"Cache-Status": cache_status(outcome)})

    def live(self) -> Response:
        return json_response({"status": "ok", "artifact": self._artifact_digest})

    def ready(self) -> Response:
        self._users.ready()
        return json_response({"status": "ok"})


def _checked(user_id: str) -> str:
    if not is_user_id(user_id):
        raise Problem(400, f"{user_id[:80]!r} can not be a user's id.", "id")
    return user_id
