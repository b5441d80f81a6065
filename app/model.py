"""The user and its limits.

`UserInput` is a request's body, validated while it is decoded; unknown fields are refused.
"""

import re
from typing import Annotated, TypeIs

import msgspec
from msgspec import UNSET, Meta, UnsetType

# Unreserved characters of RFC 3986, 2.3: an id never needs escaping in a URL. "..", "" and "__x__", which Firestore
# reserves, are no ids. `(?!\n)` because `$` also matches before a final newline.
USER_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._~-]*(?!\n)$"
NAME_PATTERN = r"^[^\x00-\x1f\x7f]+(?!\n)$"
MAX_ID, MAX_NAME = 128, 256  # characters
MAX_FOLLOWERS = 1000
# A DynamoDB item may have 400 KB, a Firestore document 1 MiB.
MAX_PROFILE_PIC_BYTES = 256 * 1024

_USER_ID, _USER_NAME = re.compile(USER_ID_PATTERN), re.compile(NAME_PATTERN)
_SURROGATE = re.compile("[\ud800-\udfff]")  # cannot be encoded in UTF-8

UserId = Annotated[str, Meta(min_length=1, max_length=MAX_ID, pattern=USER_ID_PATTERN)]
UserName = Annotated[str, Meta(min_length=1, max_length=MAX_NAME, pattern=NAME_PATTERN)]
ProfilePic = Annotated[bytes, Meta(max_length=MAX_PROFILE_PIC_BYTES)]
UNIQUE = Meta(extra_json_schema={"uniqueItems": True})


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`version` is opaque and changes with every write.

    `profile_pic` is a PNG, JPEG, GIF or WebP, or None if there is none. It is large, so most reads leave it UNSET.
    """

    id: str
    name: str
    followers: tuple[str, ...] = ()
    version: str
    profile_pic: bytes | UnsetType | None = UNSET


class UserInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /users` and `PUT /users/{id}`. `profile_pic` is base64; left out, a PUT keeps the old one."""

    id: UserId
    name: UserName
    followers: Annotated[tuple[UserId, ...], UNIQUE, Meta(max_length=MAX_FOLLOWERS)] = ()
    profile_pic: ProfilePic | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if len(set(self.followers)) < len(self.followers):
            twice = next(f for i, f in enumerate(self.followers) if f in self.followers[:i])
            raise InvalidField("followers", f"holds {twice!r} twice")
        if isinstance(self.profile_pic, bytes) and picture_type(self.profile_pic) is None:
            raise InvalidField("profile_pic", "is not a PNG, JPEG, GIF or WebP image")


class InvalidField(ValueError):
    """`field` breaks a rule that the types cannot express."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"`{field}` {detail}")


def picture_type(data: bytes) -> str | None:
    """The media type by the file's signature; None unless it is an image format that cannot contain scripts."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def is_user_id(value: object) -> TypeIs[str]:
    """Whether this is a valid id. For ids that msgspec does not validate: in URLs, tokens and stores."""
    return isinstance(value, str) and len(value) <= MAX_ID and _USER_ID.search(value) is not None


def is_user_name(value: object) -> TypeIs[str]:
    """Whether this is a valid name. For names from a store."""
    if not isinstance(value, str) or len(value) > MAX_NAME:
        return False
    return _USER_NAME.search(value) is not None and _SURROGATE.search(value) is None
