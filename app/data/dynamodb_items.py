"""Users as DynamoDB items, and the conditions of writes."""

from typing import TYPE_CHECKING, Any

from app.data.records import FIELDS, to_user
from app.model import User

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

WITHOUT_PICTURE = {
    "ProjectionExpression": ", ".join(f"#{a}" for a in ("id", *FIELDS)),
    "ExpressionAttributeNames": {f"#{a}": a for a in ("id", *FIELDS)},
}


def to_item(user: User) -> "Item":
    item: Item = {
        "id": {"S": user.id},
        "name": {"S": user.name},
        "followers": {"L": [{"S": i} for i in user.followers]},
        "version": {"S": user.version},
    }
    if user.profile_pic is not None:
        item["profile_pic"] = {"B": user.profile_pic}
    return item


def from_item(item: "Item") -> User | None:
    """None if the item is not a valid user (app/data/records.py)."""
    return to_user(item["id"].get("S", ""), {name: _plain(attribute) for name, attribute in item.items()})


def revision_of(item: "Item") -> "Item":
    """The item's version, of whatever type; empty if it has none."""
    return {"version": item["version"]} if "version" in item else {}


def unchanged(revision: "Item") -> tuple[str, "Item"]:
    """The condition that an item still has this revision, and the values that the condition refers to."""
    if revision:
        return "#version = :revision", {":revision": revision["version"]}
    return "(attribute_exists(#id) AND attribute_not_exists(#version))", {}


def conditional(condition: str, values: "Item") -> dict[str, Any]:
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
