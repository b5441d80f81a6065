"""Lambda's SnapStart: the app before a snapshot and after a restore, called by AWS's own runtime client."""

import asyncio
import io
import json
import os
import random
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from app.bootstrap import assemble
from app.cache.momento import MomentoCache
from app.data import DataClient
from app.data.dynamodb import DynamoDBDataClient
from app.lifecycle import App
from app.metrics import Metrics
from app.settings import Settings
from local.cloud.aws.lambda_.runtime_api import Invocation, RuntimeApi
from local.cloud.momento import MomentoServer
from tests.app.clients import lambda_client
from tests.app.events import event, response
from tests.app.stores import store

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "build" / "lambda-runtime"
CLOSED_WITHIN = 30  # seconds; gRPC closes on a thread of its own
# Hooks run in reverse order before a snapshot, so this request comes first.
USED_BEFORE_THE_SNAPSHOT = """
import json, os
from snapshot_restore_py import register_before_snapshot
from app.aws_lambda import handler

register_before_snapshot(lambda: handler(json.loads(os.environ["EVENT"]), None))
"""


@pytest.fixture
def data(metrics: Metrics) -> Generator[DataClient]:
    """On a server that no other test has connections to. moto would not do: it closes each of them after its answer."""
    with store("dynamodb-local") as new_data_client:
        yield new_data_client(metrics)


def test_connections_end_with_the_snapshot_and_begin_after_it(
    data: DataClient, momento_server: MomentoServer, cache: MomentoCache, metrics: Metrics, log: io.StringIO
) -> None:
    assert isinstance(data, DynamoDBDataClient)
    store = urlsplit(data._api.client.meta.endpoint_url).port or 0  # pyright: ignore[reportPrivateUsage]
    ports = {store, momento_server.port}
    app = assemble(Settings(), metrics, data, cache)
    with lambda_client(app) as client:
        client.post("/users", json={"id": "ada", "name": "Ada", "followers": ["grace"]})
        assert client.get("/cached-users/ada").headers["cache-status"] == "momento; fwd=uri-miss; stored"
        assert connected(ports) == ports
        app.before_snapshot()
        deadline = time.monotonic() + CLOSED_WITHIN
        while connected(ports):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        app.after_restore()
        assert client.get("/cached-users/ada").headers["cache-status"] == "momento; hit"
        assert client.get("/users/ada").status_code == 200
    assert connected(ports) == ports
    assert [number for number, cold in enumerate(cold_starts(log.getvalue())) if cold] == [0, 2]


def connected(ports: set[int]) -> set[int]:
    """Those of the ports that this process has connections to."""
    return {connection.raddr.port for connection in psutil.Process().net_connections("tcp") if connection.raddr} & ports


def cold_starts(log: str) -> list[bool]:
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line["cold_start"] for line in lines if "cold_start" in line]


def test_copies_of_a_snapshot_are_not_random_alike() -> None:
    """Chance alone fails this once in 3 * 10^15 runs: two of three numbers of 53 bits are equal."""
    app, seen = App([]), set[float]()
    state = random.getstate()
    for _ in range(3):
        random.setstate(state)
        app.after_restore()
        seen.add(random.random())
    assert len(seen) == 3


def test_awss_runtime_client_calls_the_hooks(tmp_path: Path) -> None:
    answer, output = asyncio.run(invoke_restored(tmp_path))
    assert response(json.loads(answer)).status_code == 404
    assert cold_starts(output) == [True, True]


async def invoke_restored(tmp_path: Path) -> tuple[bytes, str]:
    """The answer of a process that was used before its snapshot, and what it printed."""
    (tmp_path / "used.py").write_text(USED_BEFORE_THE_SNAPSHOT)
    asked: dict[str, Any] = event(httpx.Request("GET", "http://testserver/users/ada"))
    api = RuntimeApi()
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{RUNTIME}:{tmp_path}",
        "AWS_LAMBDA_RUNTIME_API": await api.open(),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "EVENT": json.dumps(asked),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "awslambdaric", "used.handler"), cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE
    )
    try:
        await api.initialised
        answer = await api.submit(Invocation("r-1", "arn", json.dumps(asked).encode(), 30, "Root=1"))
    finally:
        process.kill()
        output, _ = await process.communicate()
        await api.close()
    return answer, output.decode()
