"""Users in a DynamoDB table and their pictures in another, both with the partition key `id`, a string.

DynamoDB bills and reads whole items, whatever a projection leaves of them: beside the user, a picture would be paid for
whenever the user is read, listed or written. All reads are strongly consistent.
"""

from collections.abc import Iterator, Sequence
from itertools import batched, chain
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import replace

from app.data import Stored, UserExists, VersionConflict
from app.data.dynamodb_api import DynamoDBApi, Items
from app.data.dynamodb_items import (
    Write,
    are_torn,
    conditional,
    delete,
    from_item,
    key,
    names_picture,
    picture_of,
    put_picture,
    put_user,
    revision_of,
    unchanged,
)
from app.data.pace import LONGEST_PAGE
from app.metrics import Metrics, Timing
from app.model import User

if TYPE_CHECKING:
    from app.data.dynamodb_items import Item

MAX_TRANSACTION = 10
"""Users in a transaction, which may have 4 MB and 100 writes: two items of up to 400 KB each."""


class DynamoDBDataClient:
    name = "dynamodb"

    def __init__(self, users: str, pictures: str, region: str, metrics: Metrics) -> None:
        """`users` and `pictures` are the names of the tables."""
        self._users = users
        self._pictures = pictures
        self._api = DynamoDBApi(region, self.name, metrics)

    def create_user(self, user: User) -> None:
        condition = conditional("attribute_not_exists(#id) OR #version = :version", {":version": {"S": user.version}})
        if not self._api.write(put_user(self._users, user, condition), *self._picture_writes(user, replaced=False)):
            raise UserExists(user.id)

    def get_user(self, user_id: str) -> Stored | None:
        with self._api.call("GetItem") as timing:
            answer = self._api.client.get_item(TableName=self._users, Key=key(user_id), ConsistentRead=True)
            item = answer.get("Item")
            users = _valid([item] if item else [], timing)
        return Stored(next(iter(users), None), revision_of(item)) if item else None

    def get_user_with_picture(self, user_id: str) -> User | None:
        """The items of a batch are read one by one, so a write may come in between: then they are read at once."""
        keys = [(self._users, user_id), (self._pictures, user_id)]
        found: dict[str, Item] = {}
        users: list[User] = []

        def receive(answer: Items, timing: Timing) -> None:
            found.update({table: item for table, items in answer.items() for item in items})
            users.extend(_valid(answer.get(self._users, []), timing))

        self._api.batch_get(keys, receive)
        item, picture = found.get(self._users, {}), found.get(self._pictures, {})
        user = next(iter(users), None)
        if are_torn(item, picture):
            item, picture = self._api.transact_get(keys)
            user = from_item(item) if item else None
        return user and replace(user, profile_pic=picture_of(item, picture))

    def get_users(self, user_ids: Sequence[str]) -> dict[str, User]:
        found: list[User] = []

        def receive(items: Items, timing: Timing) -> None:
            found.extend(_valid(items.get(self._users, []), timing))

        self._api.batch_get([(self._users, user_id) for user_id in dict.fromkeys(user_ids)], receive)
        return {user.id: user for user in found}

    def list_users(self, limit: int, after: str | None = None) -> Iterator[User]:
        position: Item | None = key(after) if after is not None else None
        size = limit
        while limit > 0:
            page: dict[str, Any] = {"ExclusiveStartKey": position} if position else {}
            with self._api.call("Scan") as timing:
                answer = self._api.client.scan(TableName=self._users, Limit=size, ConsistentRead=True, **page)
                users = _valid(answer["Items"], timing)[:limit]
            yield from users
            limit -= len(users)
            position = answer.get("LastEvaluatedKey")
            if not position:
                break
            size = min(2 * size, LONGEST_PAGE)

    def replace_user(self, user: User, revision: "Item") -> None:
        condition, values = unchanged(revision)
        held = conditional(f"#version = :version OR {condition}", {**values, ":version": {"S": user.version}})
        kept: Item = revision if user.profile_pic is UNSET else {}
        replaced = "picture" in revision and not names_picture(kept)
        if not self._api.write(put_user(self._users, user, held, kept), *self._picture_writes(user, replaced)):
            raise VersionConflict(user.id)

    def delete_user(self, user_id: str, revision: "Item | None" = None) -> bool:
        condition = conditional("attribute_exists(#id)") if revision is None else conditional(*unchanged(revision))
        picture = [delete(self._pictures, user_id)] if revision is None or "picture" in revision else []
        deleted = self._api.write(delete(self._users, user_id, condition), *picture)
        if not deleted and revision is not None:
            raise VersionConflict(user_id)
        return deleted

    def put_users(self, users: Sequence[User]) -> None:
        for batch in batched(users, MAX_TRANSACTION, strict=False):
            writes = ((put_user(self._users, user), *self._picture_writes(user, replaced=True)) for user in batch)
            self._api.write(*chain.from_iterable(writes))

    def ping(self) -> None:
        self.get_user_with_picture("-")

    def close(self) -> None:
        self._api.client.close()

    def _picture_writes(self, user: User, replaced: bool) -> list[Write]:
        """The write of the user's new picture, or else the deletion of one that is replaced by none."""
        if user.profile_pic:
            return [put_picture(self._pictures, user, user.profile_pic)]
        return [delete(self._pictures, user.id)] if replaced else []


def _valid(items: Sequence["Item"], timing: Timing) -> list[User]:
    users = [user for user in map(from_item, items) if user]
    if len(users) < len(items):
        timing.fields["unreadable"] = len(items) - len(users)
    return users
