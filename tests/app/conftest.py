import io
from collections.abc import Generator

import pytest

from app.data import DataClient
from app.metrics import Metrics
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
