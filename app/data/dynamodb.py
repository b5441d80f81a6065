"""Users in a DynamoDB table whose partition key is the string `id`. All reads are strongly consistent."""

import random
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.data import StoreUnavailable, UserExists, VersionConflict
from app.metrics import Metrics
from app.model import PublicUser, User

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

# Limits of BatchGetItem and BatchWriteItem.
MAX_BATCH_READ = 100
MAX_BATCH_WRITE = 25
MAX_BATCH_ATTEMPTS = 5

WITHOUT_PICTURE = {
    "ProjectionExpression": "#id, #name, #followers, #version",
    "ExpressionAttributeNames": {f"#{a}": a for a in ("id", "name", "followers", "version")},
}
# A call gives up within 4 s: two attempts of 1.5, and up to 1 between them.
CONFIG = Config(
    connect_timeout=0.5,
    read_timeout=1,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
)


class DynamoDBDataClient:
    name = "dynamodb"

    def __init__(self, table: str, region: str, metrics: Metrics) -> None:
        self._table = table
        self._metrics = metrics
        self._client: DynamoDBClient = boto3.client("dynamodb", region, config=CONFIG)  # pyright: ignore[reportUnknownMemberType]

    def create_user(self, user: User) -> None:
        self._put(user, "attribute_not_exists(#id) OR #version = :version", {}, UserExists(user.id))

    def get_user(self, user_id: str) -> User | None:
        with self._call("GetItem"):
            answer = self._client.get_item(TableName=self._table, Key={"id": {"S": user_id}}, ConsistentRead=True)
        return _user(answer["Item"]) if "Item" in answer else None

    def get_users(self, user_ids: Sequence[str]) -> dict[str, PublicUser]:
        ids = list(dict.fromkeys(user_ids))
        found: dict[str, PublicUser] = {}
        for start in range(0, len(ids), MAX_BATCH_READ):
            found |= self._get_batch(ids[start : start + MAX_BATCH_READ])
        return found

    def list_users(self, limit: int, after: str | None = None) -> list[PublicUser]:
        users: list[PublicUser] = []
        position: Item | None = {"id": {"S": after}} if after is not None else None
        while len(users) < limit:
            page: dict[str, Any] = {"ExclusiveStartKey": position} if position else {}
            with self._call("Scan"):
                answer = self._client.scan(
                    TableName=self._table, Limit=limit - len(users), ConsistentRead=True, **WITHOUT_PICTURE, **page
                )
            users += map(_public_user, answer["Items"])
            position = answer.get("LastEvaluatedKey")
            if not position:
                break
        return users

    def replace_user(self, user: User, expected_version: str) -> None:
        expected: Item = {":expected": {"S": expected_version}}
        self._put(user, "#version = :version OR #version = :expected", expected, VersionConflict(user.id))

    def delete_user(self, user_id: str, expected_version: str | None = None) -> bool:
        condition: dict[str, Any] = {}
        if expected_version is not None:
            condition = {
                "ConditionExpression": "attribute_not_exists(#id) OR #version = :expected",
                "ExpressionAttributeNames": {"#id": "id", "#version": "version"},
                "ExpressionAttributeValues": {":expected": {"S": expected_version}},
            }
        with self._call("DeleteItem", VersionConflict(user_id)):
            answer = self._client.delete_item(
                TableName=self._table, Key={"id": {"S": user_id}}, ReturnValues="ALL_OLD", **condition
            )
        return bool(answer.get("Attributes"))

    def put_users(self, users: Sequence[User]) -> None:
        for start in range(0, len(users), MAX_BATCH_WRITE):
            requests: Any = [{"PutRequest": {"Item": _item(u)}} for u in users[start : start + MAX_BATCH_WRITE]]
            pending = {self._table: requests}
            for _ in self._attempts("BatchWriteItem"):
                with self._call("BatchWriteItem"):
                    pending: Any = self._client.batch_write_item(RequestItems=pending).get("UnprocessedItems")
                if not pending:
                    break

    def ping(self) -> None:
        self.get_user("-")

    def close(self) -> None:
        self._client.close()

    def _put(self, user: User, condition: str, values: "Item", conflict: Exception) -> None:
        with self._call("PutItem", conflict):
            self._client.put_item(
                TableName=self._table,
                Item=_item(user),
                ConditionExpression=condition,
                ExpressionAttributeNames={n: n[1:] for n in ("#id", "#version") if n in condition},
                ExpressionAttributeValues={":version": {"S": user.version}} | values,
            )

    def _get_batch(self, ids: list[str]) -> dict[str, PublicUser]:
        found: dict[str, PublicUser] = {}
        keys: Any = [{"id": {"S": i}} for i in ids]
        pending: Any = {self._table: {"Keys": keys, "ConsistentRead": True, **WITHOUT_PICTURE}}
        for _ in self._attempts("BatchGetItem"):
            with self._call("BatchGetItem"):
                answer = self._client.batch_get_item(RequestItems=pending)
            found |= {u.id: u for u in map(_public_user, answer["Responses"].get(self._table, []))}
            pending = answer.get("UnprocessedKeys")
            if not pending:
                break
        return found

    @staticmethod
    def _attempts(operation: str) -> Iterator[int]:
        """For batches that are answered in part: a few attempts with exponential backoff, then StoreUnavailable."""
        for attempt in range(MAX_BATCH_ATTEMPTS):
            if attempt:
                time.sleep(random.uniform(0, 0.05 * 2**attempt))
            yield attempt
        raise StoreUnavailable(f"dynamodb {operation}: part of the batch stays unprocessed")

    @contextmanager
    def _call(self, operation: str, conflict: Exception | None = None) -> Generator[None]:
        """One measured round trip. A condition that does not hold is `conflict`; all else that fails, unavailable."""
        held = True
        try:
            with self._metrics.upstream(self.name, operation):
                try:
                    yield
                except ClientError as error:
                    if conflict is None or _code(error) != "ConditionalCheckFailedException":
                        raise
                    held = False  # the store's answer, and no error of it
        except ClientError as error:
            raise StoreUnavailable(f"dynamodb {operation}: {_code(error)}") from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"dynamodb {operation}: {error}") from error
        if conflict and not held:
            raise conflict


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


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


def _user(item: "Item") -> User:
    public = _public_user(item)
    picture: Any = item.get("profile_pic", {}).get("B")
    return User(id=public.id, name=public.name, followers=public.followers, version=public.version, profile_pic=picture)


def _public_user(item: "Item") -> PublicUser:
    return PublicUser(
        id=item["id"].get("S", ""),
        name=item["name"].get("S", ""),
        followers=tuple(i.get("S", "") for i in item["followers"].get("L", [])),
        version=item["version"].get("S", ""),
    )
