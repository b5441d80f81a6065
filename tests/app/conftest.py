import functools
import io
import os
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack

import botocore.session
import httpx
import pytest
from botocore.config import Config
from hypothesis import settings

from app import secrets
from app.bootstrap import assemble
from app.cache import momento
from app.cache.momento import MomentoCache
from app.cache.none import NoCache
from app.data import DataClient, dynamodb_api, firestore
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.settings import CacheSettings, Settings
from local.cloud.momento import MomentoServer
from tests.app.clients import NewClient, lambda_client, wsgi_client
from tests.app.servers import MOMENTO_API_KEY, await_connection, momento_cache
from tests.app.stores import STORES, NewDataClient, store

# The number of examples of each fuzzing test. `make test` and `make prove` use the same ones in every run.
FUZZ_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2000"))
settings.register_profile("test", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("prove", max_examples=500, deadline=None, derandomize=True)
settings.register_profile("fuzz", max_examples=FUZZ_EXAMPLES, deadline=None, print_blob=True)
settings.load_profile("test")


SHIPPED_DEADLINE = momento.DEADLINE

# Each client of the app has a session of its own, which would read botocore's description of DynamoDB anew.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Generator[Counter[str]]:
    """Counts what a fuzzing test does, and prints it at the end for `make fuzz`."""
    counts = Counter[str]()
    yield counts
    print(f"\n{request.node.name}: {', '.join(f'{count:,} {what}' for what, count in counts.items())}")


@pytest.fixture(scope="session", autouse=True)
def patient_clients() -> Generator[None]:
    """Give stores and caches a minute per call, so that a busy machine fails no test; test_store_failures.py and
    `shipped_deadline` override this.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dynamodb_api, "CONFIG", dynamodb_api.CONFIG.merge(Config(connect_timeout=60, read_timeout=60)))
        patch.setattr(firestore, "ATTEMPT_TIMEOUT", 60.0)
        patch.setattr(momento, "DEADLINE", 60.0)
        patch.setattr(secrets, "LIMITS", secrets.LIMITS | {"connect_timeout": 60, "read_timeout": 60})
        yield


@pytest.fixture
def shipped_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls to the cache get no more time than in production."""
    monkeypatch.setattr(momento, "DEADLINE", SHIPPED_DEADLINE)


@pytest.fixture(scope="session")
def started() -> Generator[Callable[[str], NewDataClient]]:
    """Creates clients of a store. Its server starts once, on first use, because servers in Java take seconds."""
    with ExitStack() as stack:

        @functools.cache
        def start(name: str) -> NewDataClient:
            return stack.enter_context(store(name))

        yield start


@pytest.fixture(scope="session", params=STORES)
def new_data_client(request: pytest.FixtureRequest, started: Callable[[str], NewDataClient]) -> NewDataClient:
    """Creates clients of an empty store, for each store in turn."""
    return started(request.param)


@pytest.fixture
def log() -> io.StringIO:
    """The lines that the metrics wrote."""
    return io.StringIO()


@pytest.fixture
def metrics(log: io.StringIO) -> Metrics:
    return Metrics(stream=log)


@pytest.fixture
def data(new_data_client: NewDataClient, metrics: Metrics) -> DataClient:
    """A client of an empty store."""
    return new_data_client(metrics)


@pytest.fixture
def momento_server() -> Generator[MomentoServer]:
    """A Momento server for one test, which may break it."""
    with MomentoServer(MOMENTO_API_KEY) as server:
        yield server


@pytest.fixture
def cache_settings(momento_server: MomentoServer) -> CacheSettings:
    """An empty cache."""
    return momento_cache(momento_server)


@pytest.fixture
def cache(cache_settings: CacheSettings, metrics: Metrics, log: io.StringIO) -> Generator[MomentoCache]:
    """A client of the empty cache."""
    with MomentoCache(cache_settings, lambda: MOMENTO_API_KEY, metrics) as client:
        await_connection(client)
        log.seek(0)
        log.truncate()
        yield client


@pytest.fixture(params=["wsgi", "lambda"])
def new_client(request: pytest.FixtureRequest) -> NewClient:
    """Creates HTTP clients of an app that call it like gunicorn and `flask run`, or like Lambda."""
    return wsgi_client if request.param == "wsgi" else lambda_client


@pytest.fixture
def client(new_client: NewClient, metrics: Metrics) -> Generator[httpx.Client]:
    """A client of an empty memory store, without a cache, with the demo turned on."""
    app = assemble(Settings(demo=True, artifact_digest="sha256:1"), metrics, MemoryDataClient(), NoCache())
    with new_client(app) as client:
        yield client
