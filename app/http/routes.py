"""The routes of the API: one table, one view each."""

from collections.abc import Callable
from typing import NamedTuple

from flask import Blueprint, request
from werkzeug import Response

from app.auth import Authenticator, Caller
from app.http import paging, preconditions
from app.http.bodies import (
    decode_user,
    json_response,
    list_response,
    no_content,
    picture_response,
    user_response,
)
from app.http.cache_status import cache_status
from app.http.problems import Problem
from app.http.schemas import Alive, Bootstrapped, Ready
from app.model import User, is_user_id
from app.users import Users


class Route(NamedTuple):
    """One operation. `view` takes the parameters of the path."""

    method: str
    path: str
    view: Callable[..., Response]


class UserRoutes:
    """The views of the users API."""

    def __init__(
        self, users: Users, authenticator: Callable[[], Authenticator], artifact_digest: str, demo: bool
    ) -> None:
        self._users = users
        self._authenticator = authenticator
        self._artifact_digest = artifact_digest
        self._demo = demo

    def table(self) -> list[Route]:
        """All operations. HEAD comes with GET, and OPTIONS with every path."""
        demo = [Route("POST", "/bootstrap", self.bootstrap)] if self._demo else []
        return [
            *demo,
            Route("POST", "/users", self.create_user),
            Route("GET", "/users", self.list_users),
            Route("GET", "/users/<user_id>", self.get_user),
            Route("PUT", "/users/<user_id>", self.put_user),
            Route("DELETE", "/users/<user_id>", self.delete_user),
            Route("GET", "/cached-users/<user_id>", self.get_cached_user),
            Route("GET", "/followers/<user_id>", self.get_followers),
            Route("GET", "/cached-followers/<user_id>", self.get_cached_followers),
            Route("GET", "/profile-pic/<user_id>", self.get_profile_pic),
            Route("GET", "/cached-profile-pic/<user_id>", self.get_cached_profile_pic),
            Route("GET", "/health/live", self.live),
            Route("GET", "/health/ready", self.ready),
        ]

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("users", __name__)
        allowed: dict[str, set[str]] = {}
        for method, path, view in self.table():
            blueprint.add_url_rule(path, view.__name__, view, methods=[method], provide_automatic_options=False)
            allowed.setdefault(path, {"OPTIONS"}).update({"GET", "HEAD"} if method == "GET" else {method})
        for path, methods in allowed.items():
            allow = ", ".join(sorted(methods))
            blueprint.add_url_rule(path, f"options {path}", _options(allow), methods=["OPTIONS"])
        return blueprint

    def bootstrap(self) -> Response:
        self._caller().must_be_admin()
        return json_response(Bootstrapped(self._users.bootstrap()), 201)

    def create_user(self) -> Response:
        caller = self._caller()
        new = decode_user(request)
        caller.must_own(new.id)
        return _created(self._users.create(new))

    def list_users(self) -> Response:
        limit, after = paging.read(request)
        return list_response(self._users.list(limit + 1, after), limit)

    def get_user(self, user_id: str) -> Response:
        return user_response(self._users.get(_checked(user_id)))

    def put_user(self, user_id: str) -> Response:
        self._caller().must_own(user_id)
        new = decode_user(request)
        if new.id != _checked(user_id):
            raise Problem(400, f"The body has the id {new.id!r}, but the path has {user_id!r}.", "id")
        if not preconditions.are_given():
            raise Problem(428, "Set If-Match to the version to replace, or If-None-Match: * to create a user.")
        user, created = self._users.put(new, preconditions.check)
        return _created(user) if created else user_response(user)

    def delete_user(self, user_id: str) -> Response:
        self._caller().must_own(user_id)
        self._users.delete(_checked(user_id), preconditions.check if preconditions.are_given() else None)
        return no_content()

    def get_cached_user(self, user_id: str) -> Response:
        user, outcome = self._users.get_cached(_checked(user_id))
        return user_response(user, headers=cache_status(outcome))

    def get_followers(self, user_id: str) -> Response:
        return json_response(self._users.followers(_checked(user_id)))

    def get_cached_followers(self, user_id: str) -> Response:
        names, outcome = self._users.followers_cached(_checked(user_id))
        return json_response(names, headers=cache_status(outcome))

    def get_profile_pic(self, user_id: str) -> Response:
        user = self._users.profile_pic(_checked(user_id), self._caller().user_id)
        return picture_response(user)

    def get_cached_profile_pic(self, user_id: str) -> Response:
        user, outcome = self._users.profile_pic_cached(_checked(user_id), self._caller().user_id)
        return picture_response(user, cache_status(outcome))

    def _caller(self) -> Caller:
        return self._authenticator().caller(dict(request.headers))

    def live(self) -> Response:
        return json_response(Alive("ok", self._artifact_digest))

    def ready(self) -> Response:
        self._users.ready()
        return json_response(Ready("ok"))


def _created(user: User) -> Response:
    return user_response(user, 201, {"Location": f"/users/{user.id}"})


def _options(allow: str) -> Callable[..., Response]:
    def options(**_: str) -> Response:
        return no_content({"Allow": allow})

    return options


def _checked(user_id: str) -> str:
    if not is_user_id(user_id):
        raise Problem(400, f"{user_id[:80]!r} is not a valid user id.", "id")
    return user_id
