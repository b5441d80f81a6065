"""Users in a DynamoDB table whose partition key is the string `id`. All reads are strongly consistent."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from app import deadline
from app.data import DataError, Stored, StoreUnavailable, UserExists, VersionConflict
from app.data.pace import Pace
from app.data.records import FIELDS, to_user
from app.metrics import Metrics, Timing
from app.model import PublicUser, User

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

# Limits of BatchGetItem and BatchWriteItem.
MAX_BATCH_READ = 100
MAX_BATCH_WRITE = 25

WITHOUT_PICTURE = {
    "ProjectionExpression": ", ".join(f"#{a}" for a in ("id", *FIELDS)),
    "ExpressionAttributeNames": {f"#{a}": a for a in ("id", *FIELDS)},
}
CONFIG = Config(
    connect_timeout=0.5,
    read_timeout=1,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
)
LONGEST_CALL = 4.0
"""Seconds: two attempts of 1.5, and a pause of up to 1 between them. boto3 has no timeout for a call."""

LONGEST_PAGE = 1000
"""Items that a list reads at a time, at most, to get over those that are no users."""
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
THROTTLING = {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}


class Throttled(StoreUnavailable):
    """DynamoDB processed nothing this time, after botocore's own retry."""


class DynamoDBDataClient:
    name = "dynamodb"

    def __init__(self, table: str, region: str, metrics: Metrics) -> None:
        self._table = table
        self._metrics = metrics
        self._client: DynamoDBClient = boto3.client("dynamodb", region, config=CONFIG)  # pyright: ignore[reportUnknownMemberType]

    def create_user(self, user: User) -> None:
        values: Item = {":version": {"S": user.version}}
        self._put(user, "attribute_not_exists(#id) OR #version = :version", values, UserExists(user.id))

    def get_user(self, user_id: str) -> Stored | None:
        with self._call("GetItem"):
            answer = self._client.get_item(TableName=self._table, Key={"id": {"S": user_id}}, ConsistentRead=True)
        item = answer.get("Item")
        return Stored(_user(item), {"version": item["version"]} if "version" in item else {}) if item else None

    def get_users(self, user_ids: Sequence[str]) -> dict[str, PublicUser]:
        found: list[PublicUser] = []

        def ask(asked: list[str], timing: Timing) -> list[str]:
            keys: Any = {"Keys": [{"id": {"S": i}} for i in asked], "ConsistentRead": True, **WITHOUT_PICTURE}
            answer: Any = self._client.batch_get_item(RequestItems={self._table: keys})
            found.extend(_public_users(answer["Responses"].get(self._table, []), timing))
            return [key["id"]["S"] for key in answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])]

        self._in_batches("BatchGetItem", MAX_BATCH_READ, dict.fromkeys(user_ids), ask)
        return {user.id: user for user in found}

    def list_users(self, limit: int, after: str | None = None) -> Iterator[PublicUser]:
        position: Item | None = {"id": {"S": after}} if after is not None else None
        size = limit
        while limit > 0:
            page: dict[str, Any] = {"ExclusiveStartKey": position} if position else {}
            with self._call("Scan") as timing:
                answer = self._client.scan(
                    TableName=self._table, Limit=size, ConsistentRead=True, **WITHOUT_PICTURE, **page
                )
                users = _public_users(answer["Items"], timing)[:limit]
            yield from users
            limit -= len(users)
            position = answer.get("LastEvaluatedKey")
            if not position:
                break
            size = min(2 * size, LONGEST_PAGE)

    def replace_user(self, user: User, revision: "Item") -> None:
        condition, values = _unchanged(revision)
        values[":version"] = {"S": user.version}
        self._put(user, f"#version = :version OR {condition}", values, VersionConflict(user.id))

    def delete_user(self, user_id: str, revision: "Item | None" = None) -> bool:
        condition, values = ("attribute_exists(#id)", {}) if revision is None else _unchanged(revision)
        try:
            with self._call("DeleteItem", VersionConflict(user_id)):
                self._client.delete_item(
                    TableName=self._table, Key={"id": {"S": user_id}}, **_conditional(condition, values)
                )
        except VersionConflict:
            if revision is None:
                return False
            raise
        return True

    def put_users(self, users: Sequence[User]) -> None:
        def ask(asked: list[Any], timing: Timing) -> list[Any]:
            answer = self._client.batch_write_item(RequestItems={self._table: asked})
            return answer.get("UnprocessedItems", {}).get(self._table, [])

        requests = [{"PutRequest": {"Item": _item(user)}} for user in users]
        self._in_batches("BatchWriteItem", MAX_BATCH_WRITE, requests, ask)

    def ping(self) -> None:
        self.get_user("-")

    def close(self) -> None:
        self._client.close()

    def _in_batches[T](
        self, operation: str, size: int, items: Iterable[T], ask: Callable[[list[T], Timing], list[T]]
    ) -> None:
        """Ask for all the items, `size` at a time. `ask` returns those that are left: DynamoDB processes some when it
        is busy or the answer is large, and when it is very busy it throttles."""
        waiting, pace = list(items), Pace(f"dynamodb {operation}")
        while waiting:
            asked, waiting = waiting[:size], waiting[size:]
            try:
                with self._call(operation) as timing:
                    left = ask(asked, timing)
            except Throttled:
                if not pace.progressed:
                    raise
                left = asked
            waiting = [*left, *waiting]
            pace.after_round(served=len(left) < len(asked))

    def _put(self, user: User, condition: str, values: "Item", conflict: DataError) -> None:
        with self._call("PutItem", conflict):
            self._client.put_item(TableName=self._table, Item=_item(user), **_conditional(condition, values))

    @contextmanager
    def _call(self, operation: str, conflict: DataError | None = None) -> Generator[Timing]:
        """One measured round trip. A condition that does not hold is `conflict`; all else that fails, unavailable."""
        call, refused = f"dynamodb {operation}", False
        if deadline.left() < LONGEST_CALL:
            raise StoreUnavailable(f"{call}: no time is left for it")
        try:
            with self._metrics.upstream(self.name, operation) as timing:
                try:
                    yield timing
                except ClientError as error:
                    refused = conflict is not None and _code(error) == "ConditionalCheckFailedException"
                    if not refused:
                        raise
        except ClientError as error:
            kind = Throttled if _code(error) in THROTTLING else StoreUnavailable
            raise kind(f"{call}: {_code(error)}") from error
        except (BotoCoreError, ResponseParserError) as error:
            raise StoreUnavailable(f"{call}: {error}") from error
        if conflict and refused:
            raise conflict


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _unchanged(revision: "Item") -> tuple[str, "Item"]:
    """The condition that the stored version is still what was read, of whatever type, or missing; and its values."""
    if revision:
        return "#version = :revision", {":revision": revision["version"]}
    return "(attribute_exists(#id) AND attribute_not_exists(#version))", {}


def _conditional(condition: str, values: "Item") -> dict[str, Any]:
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {n: n[1:] for n in ("#id", "#version") if n in condition},
    } | ({"ExpressionAttributeValues": values} if values else {})


def _item(user: User) -> "Item":
    item: Item = {
        "id": {"S": user.id},
        "name": {"S": user.name},
        "followers": {"L": [{"S": i} for i in user.followers]},
        "version": {"S": user.version},
    }
    if user.profile_pic is not None:
        item["profile_pic"] = {"B": user.profile_pic}
    return item


def _user(item: "Item") -> User | None:
    return to_user(item["id"].get("S", ""), {name: _plain(attribute) for name, attribute in item.items()})


def _public_users(items: Sequence["Item"], timing: Timing) -> list[PublicUser]:
    users = [user.public() for user in map(_user, items) if user]
    if len(users) < len(items):
        timing.fields["unreadable"] = len(items) - len(users)
    return users


def _plain(attribute: Any) -> object:
    """{"S": "Ann"} -> "Ann". Types that no user has stay as they are."""
    match attribute:
        case {"S": value} | {"B": value}:
            return value
        case {"L": values}:
            return [_plain(value) for value in values]
        case {"NULL": _}:
            return None
        case _:
            return attribute
