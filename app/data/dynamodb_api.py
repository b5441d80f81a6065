"""DynamoDB's calls (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference): timed, and repeated where DynamoDB
does a part of the work or none. Every method may raise StoreUnavailable.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import get_session

from app.data import StoreUnavailable
from app.data.dynamodb_items import Write, key
from app.data.pace import Pace
from app.data.timed import timed
from app.metrics import Metrics, Timing

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from app.data.dynamodb_items import Item

type Key = tuple[str, str]
"""A table, and the id of an item in it."""
type Items = dict[str, list[Item]]
"""Items by table."""

MAX_BATCH_READ = 100
"""Limit of BatchGetItem."""

CONFIG = Config(
    connect_timeout=0.5,
    read_timeout=1,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
)
LONGEST_CALL = 4.0
"""Seconds: two attempts of 1.5 each, and a pause of up to 1 between them. botocore has no timeout for a whole call."""

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
THROTTLING = {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}
# Of calls that another client's transaction was in the way of, and of transactions that were throttled, which botocore
# does not repeat: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
REPEATED = {
    "TransactionConflict",
    "TransactionConflictException",
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
}
REFUSALS = {"ConditionalCheckFailed", "ConditionalCheckFailedException"}


class Throttled(StoreUnavailable):
    """DynamoDB processed nothing, even after botocore's own retry."""


class DynamoDBApi:
    """One client, which opens connections as it needs them. `upstream` is its name in metrics and errors."""

    def __init__(self, region: str, upstream: str, metrics: Metrics) -> None:
        self._upstream = upstream
        self._metrics = metrics
        client: Any = get_session().create_client("dynamodb", region, config=CONFIG)
        self.client: DynamoDBClient = client

    def batch_get(self, keys: Iterable[Key], receive: Callable[[Items, Timing], None]) -> None:
        """Read the items, strongly consistent, in one round trip per 100 keys, which must be unique.

        `receive` gets the items of each answer. DynamoDB leaves keys unprocessed when it is busy or the answer is
        large; when it is very busy it throttles.
        """
        waiting, pace = list(keys), Pace(f"{self._upstream} BatchGetItem")
        while waiting:
            asked, waiting = waiting[:MAX_BATCH_READ], waiting[MAX_BATCH_READ:]
            try:
                with self.call("BatchGetItem") as timing:
                    answer: Any = self.client.batch_get_item(RequestItems=_by_table(asked))
                    receive(answer["Responses"], timing)
                left = _keys(answer.get("UnprocessedKeys", {}))
            except Throttled:
                if not pace.progressed:
                    raise
                left = asked
            waiting = [*left, *waiting]
            pace.after_round(served=len(left) < len(asked))

    def transact_get(self, keys: Sequence[Key]) -> list["Item"]:
        """One state of all items, in order, empty where there is none. It costs twice as much as `batch_get`."""
        gets: Any = [{"Get": {"TableName": table, "Key": key(item_id)}} for table, item_id in keys]

        def get() -> "list[Item]":
            answer = self.client.transact_get_items(TransactItems=gets)
            return [found.get("Item", {}) for found in answer["Responses"]]

        return self._repeated("TransactGetItems", get)

    def write(self, *writes: Write) -> bool:
        """Do all writes or none; returns whether their conditions held.

        One write is a PutItem or DeleteItem; several are a transaction, which costs twice as much as its writes.
        """

        def write() -> bool:
            try:
                match writes:
                    case [{"Put": put}]:
                        self.client.put_item(**put)
                    case [{"Delete": delete}]:
                        self.client.delete_item(**delete)
                    case _:
                        self.client.transact_write_items(TransactItems=writes)  # pyright: ignore[reportArgumentType]
            except ClientError as error:
                if _codes(error) & REFUSALS:
                    return False
                raise
            return True

        operation = f"{next(iter(writes[0]))}Item" if len(writes) == 1 else "TransactWriteItems"
        return self._repeated(operation, write)

    @contextmanager
    def call(self, operation: str) -> Generator[Timing]:
        """One measured round trip. Every failure raises StoreUnavailable, throttling its subclass Throttled."""
        call = f"{self._upstream} {operation}"
        try:
            with timed(self._metrics, self._upstream, operation, LONGEST_CALL) as timing:
                yield timing
        except ClientError as error:
            codes = _codes(error)
            kind = Throttled if codes & THROTTLING else StoreUnavailable
            raise kind(f"{call}: {', '.join(sorted(codes))}") from error
        except (BotoCoreError, ResponseParserError) as error:
            raise StoreUnavailable(f"{call}: {error}") from error

    def _repeated[T](self, operation: str, ask: Callable[[], T]) -> T:
        """Ask again as long as DynamoDB does nothing because it is busy with other transactions."""
        pace = Pace(f"{self._upstream} {operation}")
        while True:
            with self.call(operation) as timing:
                try:
                    return ask()
                except ClientError as error:
                    if not _codes(error) & REPEATED:
                        raise
                    timing.fields["repeated"] = ", ".join(sorted(_codes(error)))
                    busy = error
            pace.after_round(served=False, error=busy)


def _by_table(keys: Sequence[Key]) -> Any:
    tables: dict[str, Any] = {table: {"Keys": [], "ConsistentRead": True} for table, _ in keys}
    for table, item_id in keys:
        tables[table]["Keys"].append(key(item_id))
    return tables


def _keys(unprocessed: dict[str, Any]) -> list[Key]:
    return [(table, asked["id"]["S"]) for table, batch in unprocessed.items() for asked in batch["Keys"]]


def _codes(error: ClientError) -> set[str]:
    """The error's code, or those of a cancelled transaction's writes."""
    answer: Any = error.response
    reasons = {reason.get("Code", "None") for reason in answer.get("CancellationReasons", [])} - {"None"}
    return reasons or {answer.get("Error", {}).get("Code", "")}
