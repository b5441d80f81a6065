"""What a store holds, as a user: also what others wrote into it, by the same rules on every store.

A store gives its own values in four kinds: str, bytes, list and None. Everything else, such as a number or a map, is no
part of a user.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import TypeIs

from app.model import MAX_FOLLOWERS, MAX_PROFILE_PIC_BYTES, User, is_user_id, is_user_name, picture_type

FIELDS = ("name", "followers", "version")
"""All of a user but the id and the picture."""

# What an ETag may hold, and in ASCII (https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3).
VERSION = re.compile(r"[!#-~]{1,128}")


def to_user(user_id: str, fields: Mapping[str, object]) -> User | None:
    """None unless id, name and followers are such as the API takes.

    Fields that are missing or null have their defaults: no followers, no picture. So has a picture that is none. A
    user without a usable version has a digest for one, which changes with the other fields. Further fields are left
    out.
    """
    name, followers, version, picture = map(fields.get, (*FIELDS, "profile_pic"))
    if followers is None:
        followers = list[str]()
    if not (is_user_id(user_id) and is_user_name(name) and _are_user_ids(followers)):
        return None
    if not _is_version(version):
        version = hashlib.sha256("\0".join((user_id, name, *followers)).encode()).hexdigest()[:16]
    return User(
        id=user_id,
        name=name,
        followers=tuple(followers),
        version=version,
        profile_pic=picture if _is_picture(picture) else None,
    )


def _are_user_ids(value: object) -> TypeIs[list[str]]:
    return isinstance(value, list) and len(value) <= MAX_FOLLOWERS and all(map(is_user_id, value))  # pyright: ignore[reportUnknownArgumentType]


def _is_version(value: object) -> TypeIs[str]:
    return isinstance(value, str) and VERSION.fullmatch(value) is not None


def _is_picture(value: object) -> TypeIs[bytes]:
    return isinstance(value, bytes) and len(value) <= MAX_PROFILE_PIC_BYTES and picture_type(value) is not None
