"""Upstream round trips and latency of the read routes, with upstreams that take 10 ms to answer: `make bench`.

The warm app runs in this process with its real clients, against DynamoDB Local and the local Firestore and Momento. The
servers of Firestore and Momento sleep 10 ms, and so does DynamoDB's client before it sends. User 1 has 100 followers. A
batch, or Momento calls that are sent together, count as one round trip. "One by one" reads the user and each follower
separately, for comparison with the batch.
"""

import io
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, NamedTuple

import boto3
import httpx

from app.bootstrap import assemble
from app.cache.momento import MomentoCache
from app.data import DataClient
from app.data.firestore import FirestoreDataClient
from app.metrics import Metrics
from app.model import User
from app.settings import CacheSettings, Settings
from benchmarks.slow_servers import DELAY
from tests.app.servers import MOMENTO_API_KEY, NotInstalled
from tests.app.stores import store

FOLLOWERS = tuple(f"f{i}" for i in range(100))
REPEAT = 20
ONE_BY_ONE = "followers one by one"
ROUTES = [
    "/followers/1",
    "/cached-followers/1",
    "/users/1",
    "/cached-users/1",
    "/profile-pic/1",
    "/cached-profile-pic/1",
]

type Store = Callable[[Metrics], AbstractContextManager[DataClient]]


class Measured(NamedTuple):
    """Round trips per response, and the median of its times in ms."""

    store: float
    cache: float
    median: float


def main() -> None:
    with slow_servers() as (address, cache):
        on_dynamodb, on_firestore = measure(dynamodb, cache), measure(partial(firestore, address), cache)
    print("| | round trips to the store | to the cache | on DynamoDB | on Firestore |\n|---|--:|--:|--:|--:|")
    for name, (to_store, to_cache, median) in on_dynamodb.items():
        assert on_firestore[name][:2] == (to_store, to_cache), name
        print(f"| {name} | {to_store:g} | {to_cache:g} | {median:.1f} ms | {on_firestore[name].median:.1f} ms |")


def measure(new_store: Store, cache_settings: CacheSettings) -> dict[str, Measured]:
    """Measure each route, and reading one by one."""
    log = io.StringIO()
    metrics = Metrics(stream=log)
    with new_store(metrics) as data:
        data.put_users([User(id="1", name="One", version="a", followers=FOLLOWERS, profile_pic=b"GIF89a")])
        data.put_users([User(id=i, name=i, version="a") for i in FOLLOWERS])
        with MomentoCache(cache_settings, lambda: MOMENTO_API_KEY, metrics) as cache:
            app = assemble(Settings(), metrics, data, cache)
            with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://benchmark") as client:

                def get(path: str) -> None:
                    client.get(path, headers={"X-User-Id": "1"}).raise_for_status()

                def one_by_one() -> None:
                    for user_id in ("1", *FOLLOWERS):
                        data.get_user(user_id)

                asked = {ONE_BY_ONE: one_by_one} | {f"`{path}`": partial(get, path) for path in ROUTES}
                return {name: _measure(ask, log) for name, ask in asked.items()}


def _measure(ask: Callable[[], object], log: io.StringIO) -> Measured:
    ask()
    log.seek(0)
    log.truncate()
    times = [_timed(ask) for _ in range(REPEAT)]
    calls = Counter(line.get("upstream") for line in map(json.loads, log.getvalue().splitlines()))
    return Measured(
        (calls["dynamodb"] + calls["firestore"]) / REPEAT, calls["momento"] / REPEAT, statistics.median(times)
    )


def _timed(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return (time.perf_counter() - start) * 1000


@contextmanager
def dynamodb(metrics: Metrics) -> Generator[DataClient]:
    boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-send.dynamodb", _wait)
    with store("dynamodb-local") as new:
        yield new(metrics)


@contextmanager
def firestore(address: str, metrics: Metrics) -> Generator[DataClient]:
    yield FirestoreDataClient("benchmark", "(default)", metrics, address)


@contextmanager
def slow_servers() -> Generator[tuple[str, CacheSettings]]:
    """Run Firestore and Momento; yields Firestore's address and a cache."""
    command = [sys.executable, "-m", "benchmarks.slow_servers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        facts = json.loads(process.stdout.readline())
        yield facts["firestore"], CacheSettings(**facts["cache"])


def _wait(**_: object) -> None:
    time.sleep(DELAY)


if __name__ == "__main__":
    try:
        main()
    except NotInstalled as missing:
        sys.exit(f"benchmarks: {missing}")
