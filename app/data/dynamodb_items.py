"""Users and pictures as DynamoDB items, and the writes of a transaction.

A user's item names its picture by the version of the user with which the picture was written:

    users     id, name, followers, version, picture
    pictures  id, version, profile_pic

A user without `picture` has none, whatever is in the table of pictures.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.data.records import FIELDS, to_picture, to_user
from app.model import User

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

type Write = dict[str, dict[str, Any]]
"""One write of TransactWriteItems: {"Put": ...} or {"Delete": ...}, with the arguments of PutItem or DeleteItem."""


def key(item_id: str) -> "Item":
    return {"id": {"S": item_id}}


def from_item(item: "Item") -> User | None:
    """The user without its picture; None if the item is not a valid user (app/data/records.py)."""
    return to_user(item["id"].get("S", ""), {name: _plain(item[name]) for name in FIELDS if name in item})


def picture_of(item: "Item", picture: "Item") -> bytes | None:
    """The picture, if there is a valid one that belongs to the user's item."""
    if not names_picture(item) or are_torn(item, picture):
        return None
    return to_picture(_plain(picture.get("profile_pic")))


def are_torn(item: "Item", picture: "Item") -> bool:
    """Whether the user's item names another picture: the two were read while they were written, or one is damaged."""
    return names_picture(item) and item["picture"] != picture.get("version")


def names_picture(item: "Item") -> bool:
    """Whether the user's item, or its revision, names a picture; a name of another type counts as none."""
    return "S" in item.get("picture", {})


def revision_of(item: "Item") -> "Item":
    """The item's version and picture, of whatever types; empty if it has neither."""
    return {name: item[name] for name in ("version", "picture") if name in item}


def put_user(table: str, user: User, condition: Mapping[str, Any] = {}, kept: Mapping[str, Any] = {}) -> Write:
    """The user's item, which names the user's new picture, or else that of the revision `kept`."""
    version: AttributeValueTypeDef = {"S": user.version}
    picture = version if user.profile_pic else kept.get("picture", {})
    item: Item = {
        **key(user.id),
        "name": {"S": user.name},
        "followers": {"L": [{"S": i} for i in user.followers]},
        "version": version,
        **({"picture": picture} if "S" in picture else {}),
    }
    return {"Put": {"TableName": table, "Item": item, **condition}}


def put_picture(table: str, user: User, picture: bytes) -> Write:
    item: Item = {**key(user.id), "version": {"S": user.version}, "profile_pic": {"B": picture}}
    return {"Put": {"TableName": table, "Item": item}}


def delete(table: str, item_id: str, condition: Mapping[str, Any] = {}) -> Write:
    return {"Delete": {"TableName": table, "Key": key(item_id), **condition}}


def unchanged(revision: "Item") -> tuple[str, "Item"]:
    """The condition that an item still has this revision, and the values that the condition refers to."""
    if "version" in revision:
        return "#version = :revision", {":revision": revision["version"]}
    return "(attribute_exists(#id) AND attribute_not_exists(#version))", {}


def conditional(condition: str, values: Mapping[str, Any] = {}) -> dict[str, Any]:
    """The arguments that make a write conditional."""
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {n: n[1:] for n in ("#id", "#version") if n in condition},
    } | ({"ExpressionAttributeValues": values} if values else {})


def _plain(attribute: Any) -> object:
    """The str, bytes, list or None in an attribute; attributes of other types stay as they are."""
    match attribute:
        case {"S": value} | {"B": value}:
            return value
        case {"L": values}:
            return [_plain(value) for value in values]
        case {"NULL": _}:
            return None
        case _:
            return attribute
