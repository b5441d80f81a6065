"""The stores, SSM and Momento of all peers, in a process of their own: `python -m benchmarks.compare.upstreams`.

DynamoDB and SSM answer every GetItem and every GetParameter with the same bytes, so that a peer's number has nothing of
a store's. Firestore and Momento are the laptop's. Prints their addresses as a line of JSON, and runs until stdin ends.
"""

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from aiohttp import web

from app.data.firestore import FirestoreDataClient
from app.metrics import Metrics
from app.model import User
from benchmarks.compare.catalog import USER
from benchmarks.compare.processes import CompareError
from local.cloud.common.listener import HOST, listen
from local.cloud.gcp.firestore.server import FirestoreServer
from local.cloud.momento import MomentoServer

MOMENTO_API_KEY = "momento-key"
ITEM = {
    "id": {"S": USER["id"]},
    "name": {"S": USER["name"]},
    "followers": {"L": [{"S": follower} for follower in USER["followers"]]},
    "version": {"S": "v1"},
}
PARAMETER = {"Name": "/users/momento-api-key", "Type": "SecureString", "Value": MOMENTO_API_KEY, "Version": 1}
ANSWERS = {
    "DynamoDB_20120810.GetItem": ("application/x-amz-json-1.0", json.dumps({"Item": ITEM}).encode()),
    # The app's readiness check, which it makes before a snapshot.
    "DynamoDB_20120810.BatchGetItem": ("application/x-amz-json-1.0", b'{"Responses":{},"UnprocessedKeys":{}}'),
    "AmazonSSM.GetParameter": ("application/x-amz-json-1.1", json.dumps({"Parameter": PARAMETER}).encode()),
}
PROJECT = "compare"


@contextmanager
def upstreams() -> Generator[dict[str, str]]:
    """Run them; yields the addresses `aws`, `firestore` and `momento`, and Momento's `key`."""
    command = [sys.executable, "-m", "benchmarks.compare.upstreams"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as process:
        assert process.stdout
        if not (addresses := process.stdout.readline()):
            raise CompareError("the upstreams have not started: the error is above")
        yield json.loads(addresses)


async def _answer(request: web.BaseRequest) -> web.StreamResponse:
    await request.read()
    content_type, body = ANSWERS[request.headers["X-Amz-Target"]]
    return web.Response(body=body, headers={"Content-Type": content_type})


async def _serve(addresses: dict[str, str]) -> None:
    aws = await listen(_answer)
    print(json.dumps(addresses | {"aws": aws.url}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await aws.close()


def main() -> None:
    with FirestoreServer() as firestore, MomentoServer(MOMENTO_API_KEY) as momento:
        address = f"{HOST}:{firestore.port}"
        user = User(id=USER["id"], name=USER["name"], followers=tuple(USER["followers"]), version="v1")
        FirestoreDataClient(PROJECT, "(default)", Metrics(stream=io.StringIO()), address).put_users([user])
        asyncio.run(_serve({"firestore": address, "momento": momento.endpoint, "key": MOMENTO_API_KEY}))


if __name__ == "__main__":
    main()
