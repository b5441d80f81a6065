"""Validates stored records, which other programs may have written, by the same rules for every store.

A store passes values of four types: str, bytes, list and None. Any other type, such as a number or a map, is invalid in
a user.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import TypeIs

from app.model import MAX_FOLLOWERS, MAX_PROFILE_PIC_BYTES, User, is_user_id, is_user_name, picture_type

FIELDS = ("name", "followers", "version")
"""All fields of a user but the id and the picture."""

# What an ETag may contain, limited to ASCII (https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3).
VERSION = re.compile(r"[!#-~]{1,128}")


def to_user(user_id: str, fields: Mapping[str, object]) -> User | None:
    """The user without its picture, or None unless its id, name and followers are valid in the API.

    Missing or null followers are none. Without a valid version, the version is a digest of the other fields. Unknown
    fields are ignored.
    """
    name, followers, version = map(fields.get, FIELDS)
    if followers is None:
        followers = list[str]()
    if not (is_user_id(user_id) and is_user_name(name) and _are_user_ids(followers)):
        return None
    if not _is_version(version):
        version = hashlib.sha256("\0".join((user_id, name, *followers)).encode()).hexdigest()[:16]
    return User(id=user_id, name=name, followers=tuple(followers), version=version)


def to_picture(value: object) -> bytes | None:
    """The picture, or None if the value is not one in a known format."""
    if isinstance(value, bytes) and len(value) <= MAX_PROFILE_PIC_BYTES and picture_type(value):
        return value
    return None


def _are_user_ids(value: object) -> TypeIs[list[str]]:
    return isinstance(value, list) and len(value) <= MAX_FOLLOWERS and all(map(is_user_id, value))  # pyright: ignore[reportUnknownArgumentType]


def _is_version(value: object) -> TypeIs[str]:
    return isinstance(value, str) and VERSION.fullmatch(value) is not None
