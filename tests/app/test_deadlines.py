"""The app answers before the cloud gives up on the request, however slow the upstreams are, and does not begin a write
that may not end in time."""

import io
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from app import cached_users, deadline
from app.auth import keys
from app.bootstrap import assemble
from app.cache import INVALIDATION_SECONDS, Lookup, momento
from app.data import DataClient, dynamodb_api, firestore
from app.data.memory import MemoryDataClient
from app.http.bodies import MAX_BODY_BYTES
from app.metrics import Metrics, Timing
from app.model import User
from app.settings import AuthSettings, Settings
from local.cloud.aws.lambda_.runtime_api import MAX_PAYLOAD
from local.cloud.issuer import AUDIENCE, Issuer
from tests.app.clients import wsgi_client
from tests.app.stores import NewDataClient, on_real_stores

LONGEST_BACKOFF = 1.0  # botocore's standard mode, before the second attempt; it doubles with each
SHIPPED = dynamodb_api.CONFIG
CACHE = momento.DEADLINE
ADA = User(id="ada", name="Ada", version="v", followers=("bob",), profile_pic=b"GIF89a")
STAR = User(id="star", name="Star", version="v", followers=tuple(f"f{i}" for i in range(300)))
NEW = {"id": "ada", "name": "New"}
PICTURE = {"profile_pic": "R0lGODlh"}
REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    **{
        path: ("GET", path, {"headers": {"X-User-Id": "ada"}})
        for route in ("users", "cached-users", "followers", "cached-followers", "profile-pic", "cached-profile-pic")
        for path in [f"/{route}/ada"]
    },
    "/followers/star": ("GET", "/followers/star", {}),
    "/cached-followers/star": ("GET", "/cached-followers/star", {}),
    "list": ("GET", "/users?limit=100", {}),
    "ready": ("GET", "/health/ready", {}),
    "create": ("POST", "/users", {"json": {"id": "new", "name": "New"}}),
    "create what is there": ("POST", "/users", {"json": NEW}),
    "put a new user": ("PUT", "/users/new", {"json": {"id": "new", "name": "New"}, "headers": {"If-None-Match": "*"}}),
    "replace": ("PUT", "/users/ada", {"json": NEW, "headers": {"If-Match": "*"}}),
    "replace the picture": ("PUT", "/users/ada", {"json": NEW | PICTURE, "headers": {"If-Match": "*"}}),
    "delete": ("DELETE", "/users/ada", {}),
    "delete a version": ("DELETE", "/users/ada", {"headers": {"If-Match": '"v"'}}),
}


class Clock:
    time = 1000.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds


class SlowMetrics(Metrics):
    """Every call that is measured takes as long as it ever may."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(stream=io.StringIO())
        self._clock = clock

    @contextmanager
    def upstream(self, upstream: str, operation: str, tolerated: Collection[str] = ()) -> Generator[Timing]:
        try:
            with super().upstream(upstream, operation, tolerated) as timing:
                yield timing
        finally:
            self._clock.wait(longest(upstream, operation))


def longest(upstream: str, operation: str) -> float:
    if upstream == "dynamodb":
        return dynamodb_api.LONGEST_CALL
    assert upstream == "firestore", f"how long do the calls of {upstream} take?"
    reads = operation in ("Get", "BatchGet", "Query")
    return firestore.LONGEST_READ if reads else firestore.LONGEST_WRITE - firestore.LONGEST_READ


class SlowCache:
    """Every call of this cache takes until its deadline, and brings nothing."""

    name = "slow"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def get(self, keys: Sequence[str]) -> Lookup:
        self._clock.wait(CACHE)
        return Lookup()

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        self._clock.wait(CACHE)
        return False

    def invalidate(self, keys: Sequence[str]) -> None:
        self._clock.wait(CACHE)

    def close(self) -> None:
        pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deadline, "now", clock.now)
    monkeypatch.setattr("app.data.pace.time.sleep", clock.wait)
    fetch = keys.fetch_keys

    def slow_fetch(issuer: str) -> Any:
        clock.wait(keys.LONGEST_FETCH)
        return fetch(issuer)

    monkeypatch.setattr(keys, "fetch_keys", slow_fetch)
    return clock


@pytest.fixture
def slow_store(new_data_client: NewDataClient, clock: Clock) -> DataClient:
    store = new_data_client(SlowMetrics(clock))
    store.put_users([ADA, STAR])
    return store


@pytest.fixture(scope="module")
def issuer() -> Generator[Issuer]:
    with Issuer() as issuer:
        yield issuer


def state(store: DataClient) -> list[Any]:
    return [store.get_user("ada"), store.get_user_with_picture("ada"), store.get_user("new")]


@on_real_stores()
@pytest.mark.parametrize(
    ("with_issuer", "timeout"),
    [
        pytest.param(False, 10, marks=pytest.mark.prove),
        (True, 10),
        (False, 29),
        pytest.param(True, 29, marks=pytest.mark.prove),
    ],
)
def test_every_use_case_with_every_upstream_at_its_slowest(
    slow_store: DataClient, clock: Clock, issuer: Issuer, with_issuer: bool, timeout: int
) -> None:
    auth = AuthSettings(issuer.url, AUDIENCE) if with_issuer else None
    settings = Settings(timeout_seconds=timeout, auth=auth)
    token = {"Authorization": f"Bearer {issuer.token('ada', 'users:admin')}"}
    for name, (method, path, more) in REQUESTS.items():
        app = assemble(settings, Metrics(stream=io.StringIO()), slow_store, SlowCache(clock))
        before, started = state(slow_store), clock.time
        answer = wsgi_client(app).request(method, path, **more | {"headers": more.get("headers", {}) | token})
        assert clock.time - started < timeout, name
        if answer.status_code == 503:
            assert answer.headers["retry-after"], name
            assert state(slow_store) == before, name
            assert timeout == 10, f"{name}: one call after the other fits into {timeout} s"
        else:
            assert answer.status_code < 500, (name, answer.text)
        slow_store.put_users([ADA])
        slow_store.delete_user("new")


@on_real_stores()
def test_what_a_slow_client_took_to_send_the_body_is_gone(slow_store: DataClient, clock: Clock) -> None:
    app = assemble(Settings(timeout_seconds=10), Metrics(stream=io.StringIO()), slow_store, SlowCache(clock))

    class SlowBody(io.BytesIO):
        def read(self, *size: Any) -> bytes:
            clock.wait(8)
            return super().read(*size)

        def readinto(self, buffer: Any) -> int:
            clock.wait(8)
            return super().readinto(buffer)

    before = state(slow_store)
    environ = create_environ("/users/ada", method="PUT", json=NEW, headers={"If-Match": "*"})
    environ["wsgi.input"] = SlowBody(environ["wsgi.input"].read())
    _, status, headers = run_wsgi_app(app, environ)
    assert (status, headers["Retry-After"]) == ("503 SERVICE UNAVAILABLE", "2")
    assert state(slow_store) == before


def test_a_request_that_is_over_leaves_no_deadline() -> None:
    app = assemble(Settings(), Metrics(stream=io.StringIO()), MemoryDataClient(), SlowCache(Clock()))
    wsgi_client(app).get("/health/live")
    assert deadline.left() == float("inf")


def test_the_longest_calls_are_as_the_clients_are_configured() -> None:
    options: dict[str, Any] = vars(SHIPPED)
    attempts = options["retries"]["total_max_attempts"]
    backoff = sum(LONGEST_BACKOFF * 2**n for n in range(attempts - 1))
    assert attempts * (options["connect_timeout"] + options["read_timeout"]) + backoff == dynamodb_api.LONGEST_CALL
    assert keys.LONGEST_FETCH == 3 * keys.TIMEOUT


def test_an_invalidation_outlives_the_longest_write_and_the_latest_fill() -> None:
    assert max(dynamodb_api.LONGEST_CALL, firestore.LONGEST_WRITE) <= cached_users.WRITE_SECONDS
    assert CACHE + cached_users.WRITE_SECONDS + cached_users.FILL_SECONDS + CACHE < INVALIDATION_SECONDS


def test_the_last_calls_of_the_cache_fit_into_the_margin() -> None:
    assert 2 * CACHE < deadline.MARGIN


def test_a_body_that_the_app_takes_fits_into_an_event() -> None:
    assert MAX_BODY_BYTES * 4 / 3 < MAX_PAYLOAD / 2  # in base64, beside the headers
