import io
from collections.abc import Generator

import pytest

from app.cache.momento import MomentoCache
from app.data import DataClient
from app.metrics import Metrics
from app.settings import CacheSettings
from local.cloud.momento import MomentoServer
from tests.app.servers import MOMENTO_API_KEY, momento_cache
from tests.app.stores import STORES, NewDataClient, store


@pytest.fixture(scope="session", params=STORES)
def new_data_client(request: pytest.FixtureRequest) -> Generator[NewDataClient]:
    """Makes clients of an empty store: each store in turn."""
    with store(request.param) as new:
        yield new


@pytest.fixture
def log() -> io.StringIO:
    """What the metrics wrote."""
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
    """A Momento of its own, for tests that break it."""
    with MomentoServer(MOMENTO_API_KEY) as server:
        yield server


@pytest.fixture
def cache_settings(momento_server: MomentoServer) -> CacheSettings:
    """An empty cache."""
    return momento_cache(momento_server)


@pytest.fixture
def cache(cache_settings: CacheSettings, metrics: Metrics) -> Generator[MomentoCache]:
    """A client of the empty cache."""
    with MomentoCache(cache_settings, lambda: MOMENTO_API_KEY, metrics) as client:
        yield client
