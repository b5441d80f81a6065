"""DataClients of fresh, empty stores, for all tests of stores.

A new store needs an entry in SERVERS and one in CLIENTS.
"""

import os
import uuid
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from functools import partial

import boto3
import pytest

from app.data import DataClient
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from tests.app import servers

SERVERS = {
    "dynamodb": {"moto": servers.moto, "dynamodb-local": servers.dynamodb_local},
    "firestore": {"built-in-firestore": servers.built_in_firestore, "google-firestore": servers.google_firestore},
}
IN_PROVE = "google-firestore"  # it starts slowly, and tests/e2e also covers it
STORES = [
    "memory",
    *(
        pytest.param(name, marks=[pytest.mark.prove] * (name == IN_PROVE))
        for of_a_kind in SERVERS.values()
        for name in of_a_kind
    ),
]
ONE_OF_EACH_KIND = [next(iter(of_a_kind)) for of_a_kind in SERVERS.values()]

REGION = "us-east-1"

type NewDataClient = Callable[[Metrics], DataClient]


def on_real_stores(*kinds: str) -> pytest.MarkDecorator:
    """Parametrize `new_data_client`: `make test` uses the first server of each kind, `make prove` all of them."""
    names = [name for kind in kinds or SERVERS for name in SERVERS[kind]]
    marked = [pytest.param(name, marks=[pytest.mark.prove] * (name not in ONE_OF_EACH_KIND)) for name in names]
    return pytest.mark.parametrize("new_data_client", marked, indirect=True)


@contextmanager
def store(name: str) -> Generator[NewDataClient]:
    """Run the store's server; yields a function that creates clients of an empty store.

    Skips if it is not installed, unless the environment variable REQUIRED_STORES names it.
    """
    if name == "memory":
        yield lambda metrics: MemoryDataClient()
        return
    [(kind, server)] = [(kind, of_a_kind[name]) for kind, of_a_kind in SERVERS.items() if name in of_a_kind]
    try:
        with server() as address:
            yield partial(CLIENTS[kind], address)
    except servers.NotInstalled as missing:
        if name in os.environ.get("REQUIRED_STORES", "").split():
            raise
        pytest.skip(str(missing))


def _dynamodb(url: str, metrics: Metrics) -> DataClient:
    from app.data.dynamodb import DynamoDBDataClient

    with pytest.MonkeyPatch.context() as patch:
        aws_environment(patch, url)
        name = uuid.uuid4().hex
        users, pictures = f"users-{name}", f"pictures-{name}"
        create_table(url, users)
        create_table(url, pictures)
        return DynamoDBDataClient(users, pictures, REGION, metrics)


def aws_environment(patch: pytest.MonkeyPatch, url: str) -> None:
    """Set the variables of Lambda's environment, with the endpoint of a server on this machine."""
    patch.setenv("AWS_ENDPOINT_URL", url)
    patch.setenv("AWS_REGION", REGION)
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def create_table(url: str, name: str) -> None:
    """Create the table as the stack does."""
    with closing(boto3.client("dynamodb", REGION, endpoint_url=url)) as client:  # pyright: ignore[reportUnknownMemberType]
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def _firestore(address: str, metrics: Metrics) -> DataClient:
    from app.data.firestore import FirestoreDataClient

    return FirestoreDataClient(f"test-{uuid.uuid4().hex[:20]}", "(default)", metrics, address)


CLIENTS = {"dynamodb": _dynamodb, "firestore": _firestore}
