"""Users in a DynamoDB table with the partition key `id`, a string. All reads are strongly consistent."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from app import deadline
from app.data import Stored, StoreUnavailable, UserExists, VersionConflict
from app.data.dynamodb_items import WITHOUT_PICTURE, conditional, from_item, revision_of, to_item, unchanged
from app.data.pace import LONGEST_PAGE, Pace
from app.metrics import Metrics, Timing
from app.model import PublicUser, User

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from app.data.dynamodb_items import Item

# Limits of BatchGetItem and BatchWriteItem.
MAX_BATCH_READ = 100
MAX_BATCH_WRITE = 25

CONFIG = Config(
    connect_timeout=0.5,
    read_timeout=1,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
)
LONGEST_CALL = 4.0
"""Seconds: two attempts of 1.5 each, and a pause of up to 1 between them. boto3 has no timeout for a whole call."""

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
THROTTLING = {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}


class Throttled(StoreUnavailable):
    """DynamoDB processed nothing, even after botocore's own retry."""


class DynamoDBDataClient:
    name = "dynamodb"

    def __init__(self, table: str, region: str, metrics: Metrics) -> None:
        self._table = table
        self._metrics = metrics
        self._client: DynamoDBClient = boto3.client("dynamodb", region, config=CONFIG)  # pyright: ignore[reportUnknownMemberType]

    def create_user(self, user: User) -> None:
        values: Item = {":version": {"S": user.version}}
        if not self._put(user, "attribute_not_exists(#id) OR #version = :version", values):
            raise UserExists(user.id)

    def get_user(self, user_id: str) -> Stored | None:
        with self._call("GetItem"):
            answer = self._client.get_item(TableName=self._table, Key={"id": {"S": user_id}}, ConsistentRead=True)
        item = answer.get("Item")
        return Stored(from_item(item), revision_of(item)) if item else None

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
        condition, values = unchanged(revision)
        values[":version"] = {"S": user.version}
        if not self._put(user, f"#version = :version OR {condition}", values):
            raise VersionConflict(user.id)

    def delete_user(self, user_id: str, revision: "Item | None" = None) -> bool:
        condition, values = ("attribute_exists(#id)", {}) if revision is None else unchanged(revision)
        key = {"id": {"S": user_id}}
        deleted = self._write("DeleteItem", self._client.delete_item, condition, values, Key=key)
        if not deleted and revision is not None:
            raise VersionConflict(user_id)
        return deleted

    def put_users(self, users: Sequence[User]) -> None:
        def ask(asked: list[Any], timing: Timing) -> list[Any]:
            answer = self._client.batch_write_item(RequestItems={self._table: asked})
            return answer.get("UnprocessedItems", {}).get(self._table, [])

        requests = [{"PutRequest": {"Item": to_item(user)}} for user in users]
        self._in_batches("BatchWriteItem", MAX_BATCH_WRITE, requests, ask)

    def ping(self) -> None:
        self.get_user("-")

    def close(self) -> None:
        self._client.close()

    def _in_batches[T](
        self, operation: str, size: int, items: Iterable[T], ask: Callable[[list[T], Timing], list[T]]
    ) -> None:
        """Process all items, `size` at a time. `ask` returns the unprocessed ones.

        DynamoDB leaves items unprocessed when it is busy or the answer is large; when it is very busy it throttles.
        """
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

    def _put(self, user: User, condition: str, values: "Item") -> bool:
        return self._write("PutItem", self._client.put_item, condition, values, Item=to_item(user))

    def _write(
        self, operation: str, send: Callable[..., object], condition: str, values: "Item", **request: Any
    ) -> bool:
        """Send one conditional write; returns whether its condition held."""
        with self._call(operation):
            try:
                send(TableName=self._table, **request, **conditional(condition, values))
                return True
            except ClientError as error:
                if _code(error) == "ConditionalCheckFailedException":
                    return False
                raise

    @contextmanager
    def _call(self, operation: str) -> Generator[Timing]:
        """One measured round trip. Every failure raises StoreUnavailable, throttling its subclass Throttled."""
        call = f"dynamodb {operation}"
        if deadline.left() < LONGEST_CALL:
            raise StoreUnavailable(f"{call}: no time is left for it")
        try:
            with self._metrics.upstream(self.name, operation) as timing:
                yield timing
        except ClientError as error:
            kind = Throttled if _code(error) in THROTTLING else StoreUnavailable
            raise kind(f"{call}: {_code(error)}") from error
        except (BotoCoreError, ResponseParserError) as error:
            raise StoreUnavailable(f"{call}: {error}") from error


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _public_users(items: Sequence["Item"], timing: Timing) -> list[PublicUser]:
    users = [user.public() for user in map(from_item, items) if user]
    if len(users) < len(items):
        timing.fields["unreadable"] = len(items) - len(users)
    return users
