"""The types of JSON responses, which also make the schemas of the OpenAPI document."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.model import UserId, UserName


class UserBody(msgspec.Struct, frozen=True):
    """A user without the picture. The ETag is the version."""

    id: UserId
    name: UserName
    followers: tuple[UserId, ...]


class UserPage(msgspec.Struct, frozen=True):
    """Some users, in a stable order. `next_cursor` is null on the last page."""

    users: list[UserBody]
    next_cursor: str | None


class ProblemBody(msgspec.Struct, frozen=True):
    """Problem details (RFC 9457). `field` is the part of the request that is wrong."""

    type: Literal["about:blank"]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    field: str | UnsetType = UNSET


class Alive(msgspec.Struct, frozen=True):
    """The process is alive. `artifact` is the digest of the deployed artifact."""

    status: Literal["ok"]
    artifact: str


class Ready(msgspec.Struct, frozen=True):
    """The store answers."""

    status: Literal["ok"]


class Bootstrapped(msgspec.Struct, frozen=True):
    """How many demo users were written."""

    users: int


type FollowerNames = list[UserName]
