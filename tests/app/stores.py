"""Fresh, empty DataClients on every store there is."""

import os
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial

import boto3
import pytest

from app.data import DataClient
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from tests.app import servers

STORES = ["memory", "moto", "dynamodb-local", "built-in-firestore", "google-firestore"]

REGION = "us-east-1"

type NewDataClient = Callable[[Metrics], DataClient]


@contextmanager
def store(name: str) -> Generator[NewDataClient]:
    """Run the store's server; what comes out makes clients of an empty store.

    Skips if it is not installed, unless the environment variable REQUIRED_STORES names it.
    """
    try:
        match name:
            case "memory":
                yield lambda metrics: MemoryDataClient()
            case "moto":
                with servers.moto() as url:
                    yield partial(_dynamodb, url)
            case "dynamodb-local":
                with servers.dynamodb_local() as url:
                    yield partial(_dynamodb, url)
            case "built-in-firestore":
                with servers.built_in_firestore() as address:
                    yield partial(_firestore, address)
            case _:
                with servers.google_firestore() as address:
                    yield partial(_firestore, address)
    except servers.NotInstalled as missing:
        if name in os.environ.get("REQUIRED_STORES", "").split():
            raise
        pytest.skip(str(missing))


def _dynamodb(url: str, metrics: Metrics) -> DataClient:
    from app.data.dynamodb import DynamoDBDataClient

    with pytest.MonkeyPatch.context() as patch:
        aws_environment(patch, url)
        table = f"users-{uuid.uuid4().hex}"
        create_table(url, table)
        return DynamoDBDataClient(table, REGION, metrics)


def aws_environment(patch: pytest.MonkeyPatch, url: str) -> None:
    """What Lambda's environment holds, with the endpoint of a server on this machine."""
    patch.setenv("AWS_ENDPOINT_URL", url)
    patch.setenv("AWS_REGION", REGION)
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def create_table(url: str, name: str) -> None:
    """The table as the stack makes it."""
    client = boto3.client("dynamodb", REGION, endpoint_url=url)  # pyright: ignore[reportUnknownMemberType]
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _firestore(address: str, metrics: Metrics) -> DataClient:
    from app.data.firestore import FirestoreDataClient

    return FirestoreDataClient(f"test-{uuid.uuid4().hex[:20]}", "(default)", metrics, address)
