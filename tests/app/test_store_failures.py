"""Stores that throttle, hang, answer in part or are down, as the real clients see them."""

import asyncio
import io
import json
import socket
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any

import grpc
import pytest

from app import deadline
from app.bootstrap import assemble
from app.cache.none import NoCache
from app.data import DataClient, StoreUnavailable, UserExists, VersionConflict
from app.data import dynamodb_api as dynamodb_store
from app.data import firestore as firestore_store
from app.data.dynamodb import DynamoDBDataClient
from app.data.firestore import FirestoreDataClient
from app.data.pace import IDLE_ROUNDS, Pace
from app.metrics import Metrics
from app.model import User
from app.settings import Settings
from local.cloud.faults.throttling import OverloadedGrpc
from local.cloud.gcp.firestore.server import FirestoreServer
from tests.app.clients import NewClient
from tests.app.stores import REGION, aws_environment

ANN = User(id="1", name="Ann", version="a")
PICTURED = User(id="1", name="Ann", version="a", profile_pic=b"GIF89a")
NOTHING: dict[str, Any] = {}  # as a revision, on either store
CALLS: dict[str, Callable[[DataClient], object]] = {
    "create": lambda data: data.create_user(ANN),
    "get": lambda data: data.get_user("1"),
    "get with picture": lambda data: data.get_user_with_picture("1"),
    "get many": lambda data: data.get_users(["1", "2"]),
    "list": lambda data: list(data.list_users(10)),
    "replace": lambda data: data.replace_user(ANN, NOTHING),
    "delete": lambda data: data.delete_user("1"),
    "delete what was read": lambda data: data.delete_user("1", NOTHING),
    "put many": lambda data: data.put_users([ANN]),
    "ping": lambda data: data.ping(),
}

READS = ("get", "get with picture", "get many", "list")
USE_CASE = 9  # seconds, of the default timeout of 10

WRITES: dict[str, Callable[[DataClient], object]] = {
    **{name: call for name, call in CALLS.items() if name not in (*READS, "ping")},
    "create with picture": lambda data: data.create_user(PICTURED),
    "replace with picture": lambda data: data.replace_user(PICTURED, NOTHING),
}

type Answer = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]


class DynamoDB(ThreadingHTTPServer):
    """Records requests and answers them by `answer`, which maps operation and request to status and body."""

    answer: Answer

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, DynamoDB)
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        status, body = self.server.answer(self.headers["X-Amz-Target"].partition(".")[2], request)
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def dynamodb() -> Generator[DynamoDB]:
    with DynamoDB() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def dynamodb_client(url: str, metrics: Metrics) -> DynamoDBDataClient:
    with pytest.MonkeyPatch.context() as patch:
        aws_environment(patch, url)
        return DynamoDBDataClient("users", "pictures", REGION, metrics)


def firestore_client(port: int, metrics: Metrics) -> FirestoreDataClient:
    return FirestoreDataClient("test", "(default)", metrics, f"127.0.0.1:{port}")


SHIPPED = dynamodb_store.CONFIG, firestore_store.ATTEMPT_TIMEOUT


@pytest.fixture(autouse=True)
def shipped_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb_store, "CONFIG", SHIPPED[0])
    monkeypatch.setattr(firestore_store, "ATTEMPT_TIMEOUT", SHIPPED[1])


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries happen, but do not wait."""

    def none(*_: object) -> int:
        return 0

    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", none)
    monkeypatch.setattr("app.data.pace.time.sleep", none)


@pytest.mark.usefixtures("quick_retries")
class TestDynamoDB:
    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (400, "ProvisionedThroughputExceededException"),
            (400, "ThrottlingException"),
            (500, "InternalServerError"),
            (400, "ResourceNotFoundException"),
            (400, "AccessDeniedException"),
        ],
    )
    def test_refusals(
        self, dynamodb: DynamoDB, metrics: Metrics, status: int, code: str, call: Callable[[DataClient], object]
    ) -> None:
        dynamodb.answer = lambda operation, request: (status, {"__type": f"com.amazonaws.dynamodb#{code}"})
        with pytest.raises(StoreUnavailable, match=code):
            call(dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics))

    def test_gone(self, metrics: Metrics) -> None:
        with pytest.raises(StoreUnavailable, match="dynamodb GetItem"):
            dynamodb_client(f"http://127.0.0.1:{closed_port()}", metrics).get_user("1")

    def test_blackholed(self, metrics: Metrics, new_client: NewClient) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            data = dynamodb_client(f"http://127.0.0.1:{silent.getsockname()[1]}", metrics)
            with new_client(assemble(Settings(), metrics, data, NoCache())) as client:
                answer = client.get("/users/1")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")

    def test_half_a_batch_is_asked_for_again(self, dynamodb: DynamoDB, metrics: Metrics) -> None:
        def half(operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            asked = request["RequestItems"]["users"]
            keys = asked["Keys"]
            served, left = keys[: len(keys) // 2 or 1], keys[len(keys) // 2 or 1 :]
            items: list[dict[str, Any]] = [
                {"id": key["id"], "name": {"S": "N"}, "followers": {"L": []}, "version": {"S": "v"}} for key in served
            ]
            unprocessed = {"users": {**asked, "Keys": left}} if left else {}
            return 200, {"Responses": {"users": items}, "UnprocessedKeys": unprocessed}

        dynamodb.answer = half
        found = dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics).get_users(list("12345678"))
        assert set(found) == set("12345678")
        assert [len(r["RequestItems"]["users"]["Keys"]) for r in dynamodb.requests] == [8, 4, 2, 1]
        assert all(r["RequestItems"]["users"]["ConsistentRead"] for r in dynamodb.requests)

    def test_a_batch_goes_on_as_long_as_it_makes_progress(
        self, dynamodb: DynamoDB, metrics: Metrics, new_client: NewClient
    ) -> None:
        """BatchGetItem serves 1 MB of a partition, with all that an item holds
        (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html)."""
        followers = [{"S": f"f{i:0>127}"} for i in range(390)]  # 50 KB

        def item(key: dict[str, Any]) -> dict[str, Any]:
            return {"id": key["id"], "name": {"S": "N"}, "followers": {"L": followers}, "version": {"S": "v"}}

        def a_megabyte(operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            if operation == "GetItem":
                ids = [{"S": f"u{i}"} for i in range(100)]
                return 200, {"Item": item(request["Key"]) | {"followers": {"L": ids}}}
            keys = request["RequestItems"]["users"]["Keys"]
            unprocessed = {"users": {"Keys": keys[20:]}} if keys[20:] else {}
            return 200, {"Responses": {"users": [item(key) for key in keys[:20]]}, "UnprocessedKeys": unprocessed}

        dynamodb.answer = a_megabyte
        data = dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics)
        with new_client(assemble(Settings(timeout_seconds=60), metrics, data, NoCache())) as client:
            assert client.get("/followers/star").json() == ["N"] * 100
        assert len(data.get_users([f"u{i}" for i in range(250)])) == 250

    @pytest.mark.parametrize("throttled", [1, IDLE_ROUNDS - 1])
    def test_a_batch_that_is_throttled_after_progress_goes_on(
        self, dynamodb: DynamoDB, metrics: Metrics, throttled: int
    ) -> None:
        """A call that is throttled is tried twice, by botocore."""
        fates = cycle([True] + [False] * 2 * throttled)

        def one_or_none(operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            if not next(fates):
                return 400, {"__type": "x#ProvisionedThroughputExceededException"}
            [key, *left] = request["RequestItems"]["users"]["Keys"]
            item = {"id": key["id"], "name": {"S": "N"}, "version": {"S": "v"}}
            return 200, {
                "Responses": {"users": [item]},
                "UnprocessedKeys": {"users": {"Keys": left}} if left else {},
            }

        dynamodb.answer = one_or_none
        data = dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics)
        assert set(data.get_users(list("1234"))) == set("1234")

    def test_a_batch_that_stays_unprocessed_is_no_answer(self, dynamodb: DynamoDB, metrics: Metrics) -> None:
        dynamodb.answer = lambda operation, request: (
            200,
            {"Responses": {}, "UnprocessedKeys": request["RequestItems"]},
        )
        client = dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics)
        for read in (client.get_users, client.get_user_with_picture):
            with pytest.raises(StoreUnavailable, match="BatchGetItem"):
                read("1")
        assert len(dynamodb.requests) == 2 * IDLE_ROUNDS

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_a_write_is_repeated_while_a_transaction_is_under_way(
        self, dynamodb: DynamoDB, metrics: Metrics, log: io.StringIO, write: Callable[[DataClient], object]
    ) -> None:
        fates = iter([False] * (IDLE_ROUNDS - 1) + [True])
        dynamodb.answer = lambda operation, request: (200, {}) if next(fates) else conflict(operation)
        write(dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics))
        assert len(dynamodb.requests) == IDLE_ROUNDS
        assert {json.loads(line).get("UpstreamErrors") for line in log.getvalue().splitlines()} == {0}

    @pytest.mark.parametrize("reason", ["ThrottlingError", "ProvisionedThroughputExceeded"])
    def test_a_transaction_that_is_throttled_is_repeated(
        self, dynamodb: DynamoDB, metrics: Metrics, reason: str
    ) -> None:
        fates = iter([False, True])
        reasons = [{"Code": "None"}, {"Code": reason}]
        cancelled = {"__type": "x#TransactionCanceledException", "CancellationReasons": reasons}
        dynamodb.answer = lambda operation, request: (200, {}) if next(fates) else (400, cancelled)
        dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics).create_user(PICTURED)
        assert len(dynamodb.requests) == 2

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_a_conflict_that_goes_on_is_given_up(
        self, dynamodb: DynamoDB, metrics: Metrics, write: Callable[[DataClient], object]
    ) -> None:
        dynamodb.answer = lambda operation, request: conflict(operation)
        with pytest.raises(StoreUnavailable, match=r"TransactWriteItems|PutItem|DeleteItem"):
            write(dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics))
        assert len(dynamodb.requests) == IDLE_ROUNDS

    @pytest.mark.parametrize("write", [w for name, w in WRITES.items() if name != "put many"])
    def test_a_refusal_beside_a_conflict_is_a_refusal(
        self, dynamodb: DynamoDB, metrics: Metrics, write: Callable[[DataClient], object]
    ) -> None:
        dynamodb.answer = lambda operation, request: (
            conflict(operation, "ConditionalCheckFailed")
            if operation == "TransactWriteItems"
            else (400, {"__type": "x#ConditionalCheckFailedException"})
        )
        with suppress(UserExists, VersionConflict):
            assert write(dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics)) is False
        assert len(dynamodb.requests) == 1

    @pytest.mark.parametrize("conflicts", [0, IDLE_ROUNDS - 1])
    def test_a_user_and_another_picture_are_read_again_together(
        self, dynamodb: DynamoDB, metrics: Metrics, conflicts: int
    ) -> None:
        old = {"id": {"S": "1"}, "version": {"S": "a"}, "profile_pic": {"B": "R0lGODlhYQ=="}}
        new = {"id": {"S": "1"}, "version": {"S": "b"}, "profile_pic": {"B": "R0lGODlhYg=="}}
        user = {"id": {"S": "1"}, "name": {"S": "Ann"}, "version": {"S": "b"}, "picture": {"S": "b"}}
        fates = iter([False] * conflicts + [True])

        def torn(operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            if operation == "BatchGetItem":
                return 200, {"Responses": {"users": [user], "pictures": [old]}, "UnprocessedKeys": {}}
            return (200, {"Responses": [{"Item": user}, {"Item": new}]}) if next(fates) else conflict(operation)

        dynamodb.answer = torn
        data = dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics)
        assert data.get_user_with_picture("1") == User(id="1", name="Ann", version="b", profile_pic=b"GIF89ab")
        assert len(dynamodb.requests) == 2 + conflicts

    def test_over_http_it_is_503(self, dynamodb: DynamoDB, metrics: Metrics, new_client: NewClient) -> None:
        dynamodb.answer = lambda operation, request: (400, {"__type": "x#ThrottlingException"})
        data = dynamodb_client(f"http://127.0.0.1:{dynamodb.server_port}", metrics)
        every_route_answers_503(data, metrics, new_client)


class TestFirestore:
    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
    @pytest.mark.parametrize("code", [grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED])
    def test_refusals(self, metrics: Metrics, code: grpc.StatusCode, call: Callable[[DataClient], object]) -> None:
        def refuse(method: str, context: grpc.ServicerContext) -> None:
            context.abort(code, "no")

        with FirestoreServer() as server:
            server.fault = refuse
            with pytest.raises(StoreUnavailable):
                call(firestore_client(server.port, metrics))

    @pytest.mark.usefixtures("quick_retries")
    @pytest.mark.parametrize("users", [1, 3, 100])
    def test_a_stream_that_breaks_in_the_middle_goes_on_there(self, metrics: Metrics, users: int) -> None:
        everybody = [User(id=f"u{i:02}", name=f"N{i}", version="v") for i in range(users)]
        with FirestoreServer() as server, breaking(server) as (proxy, asked):
            data = firestore_client(int(proxy.address.partition(":")[2]), metrics)
            data.put_users(everybody)
            asked.clear()
            proxy.halved = True
            assert data.get_users([user.id for user in everybody]) == {user.id: user for user in everybody}
            assert data.get_user("u00")
            with pytest.raises(StoreUnavailable):  # the last document never comes: its stream begins without one
                list(data.list_users(users))
            proxy.halved = False
            assert list(data.list_users(users)) == everybody
        assert len(asked) < 40

    @pytest.mark.usefixtures("quick_retries")
    def test_a_stream_that_brings_nothing_is_given_up(self, metrics: Metrics) -> None:
        asked: list[str] = []

        def refuse(method: str, context: grpc.ServicerContext) -> None:
            asked.append(method)
            context.abort(grpc.StatusCode.UNAVAILABLE, "no")

        with FirestoreServer() as server:
            server.fault = refuse
            data = firestore_client(server.port, metrics)
            for read in READS:
                with pytest.raises(StoreUnavailable):
                    CALLS[read](data)
        assert len(asked) == len(READS) * IDLE_ROUNDS

    def test_a_call_that_hangs_is_made_once_more(self, metrics: Metrics) -> None:
        """A cold connection, or a server that is just being moved, may need it. Each call has its own server, and all
        of them wait at the same time."""

        def call(name: str) -> list[str]:
            asked: list[str] = []

            def hang_once(method: str, context: grpc.ServicerContext) -> None:
                asked.append(method)
                if len(asked) == 1:
                    hang(method, context)

            with FirestoreServer() as server:
                data = firestore_client(server.port, metrics)
                data.put_users([ANN] if name == "replace" else [])
                data.ping()  # connects
                server.fault = hang_once
                with deadline.within(USE_CASE):
                    CALLS[name](data)
            return asked

        names = [name for name in CALLS if name != "delete what was read"]
        with ThreadPoolExecutor(len(names)) as threads:
            for name, asked in zip(names, threads.map(call, names), strict=True):
                assert asked[0] == asked[1], name

    def test_a_call_that_goes_on_hanging_is_given_up(self, metrics: Metrics) -> None:
        """All of them at the same time, as above."""

        def call(name: str) -> int:
            asked: list[str] = []

            def hang_always(method: str, context: grpc.ServicerContext) -> None:
                asked.append(method)
                hang(method, context)

            with FirestoreServer() as server:
                data = firestore_client(server.port, metrics)
                data.ping()  # connects
                server.fault = hang_always
                with deadline.within(USE_CASE), pytest.raises(StoreUnavailable, match=r"^firestore \w+: .*Deadline"):
                    CALLS[name](data)
            return len(asked)

        with ThreadPoolExecutor(len(CALLS)) as threads:
            assert dict(zip(CALLS, threads.map(call, CALLS), strict=True)) == dict.fromkeys(CALLS, 2)

    def test_throttling_is_tried_again(self, metrics: Metrics) -> None:
        asked: list[str] = []

        def throttle_once(method: str, context: grpc.ServicerContext) -> None:
            asked.append(method)
            if len(asked) == 1:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down")

        with FirestoreServer() as server:
            server.fault = throttle_once
            assert firestore_client(server.port, metrics).get_user("1") is None
        assert len(asked) == 2

    def test_an_outage_that_is_over_is_over_for_the_app_too(self, metrics: Metrics) -> None:
        """By gRPC's own rules the sixth attempt to connect is made 5 to 8 s after the fifth; reads give up before."""
        over = threading.Event()

        def keep_reading() -> None:
            while not over.is_set():
                with suppress(StoreUnavailable):
                    data.get_user("1")

        with ThreadPoolExecutor(1) as threads:
            with socket.create_server(("127.0.0.1", 0)) as out_of_order:
                port = out_of_order.getsockname()[1]
                data = firestore_client(port, metrics)
                threads.submit(keep_reading)
                for _ in range(5):
                    out_of_order.accept()[0].close()
            over.set()
            with FirestoreServer(port):
                assert data.get_user("1") is None

    def test_gone_is_503_over_http(self, metrics: Metrics, new_client: NewClient) -> None:
        def refuse(method: str, context: grpc.ServicerContext) -> None:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")

        with FirestoreServer() as server:
            server.fault = refuse
            every_route_answers_503(firestore_client(server.port, metrics), metrics, new_client)


def test_a_pause_for_which_there_is_no_time_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError(f"slept {seconds} s")

    monkeypatch.setattr("app.data.pace.time.sleep", sleep)
    with deadline.within(0.01), pytest.raises(StoreUnavailable):
        Pace("a batch").after_round(served=False)


class CountingProxy(OverloadedGrpc):
    def __init__(self, target: str) -> None:
        self.asked: list[str] = []
        super().__init__(target)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        self.asked.append(handler_call_details.method)
        return super().service(handler_call_details)


@contextmanager
def breaking(server: FirestoreServer) -> Generator[tuple[CountingProxy, list[str]]]:
    proxy = CountingProxy(f"127.0.0.1:{server.port}")
    try:
        yield proxy, proxy.asked
    finally:
        asyncio.run(proxy.close())


def conflict(operation: str, user: str = "TransactionConflict") -> tuple[int, dict[str, Any]]:
    """A transaction on the same items is under way. `user` is the reason for the user's item, if it is another one."""
    if not operation.startswith("Transact"):
        return 400, {"__type": "x#TransactionConflictException"}
    reasons = [{"Code": user}, {"Code": "TransactionConflict"}]
    return 400, {"__type": "x#TransactionCanceledException", "CancellationReasons": reasons}


def hang(method: str, context: grpc.ServicerContext) -> None:
    """Until the caller gives up."""
    over = threading.Event()
    context.add_callback(over.set)
    over.wait()


def every_route_answers_503(data: DataClient, metrics: Metrics, new_client: NewClient) -> None:
    app = assemble(Settings(demo=True), metrics, data, NoCache())
    body = {"id": "1", "name": "Ann"}
    with new_client(app) as client:
        answers = [
            client.post("/users", json=body),
            client.put("/users/1", json=body, headers={"If-Match": "*"}),
            client.delete("/users/1"),
            client.post("/bootstrap"),
            *(client.get(path) for path in ("/users", "/users/1", "/cached-users/1", "/followers/1", "/health/ready")),
            *(client.get(f"/{route}/1", headers={"X-User-Id": "1"}) for route in ("profile-pic", "cached-profile-pic")),
        ]
        assert client.get("/health/live").status_code == 200
    assert {(answer.status_code, answer.headers.get("retry-after")) for answer in answers} == {(503, "2")}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
