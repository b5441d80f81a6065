"""Upstream round trips and latency of each read route, with upstreams that answer after 10 ms.

    app/.venv/bin/python -m benchmarks.round_trips

The app runs in this process with its real clients, against the laptop's Firestore and Momento, which are slowed down.
User 1 has 100 followers; a batch, or Momento calls that go out together, count as one round trip.
"""

import io
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import grpc
import httpx

from app.bootstrap import assemble
from app.cache.momento import MomentoCache
from app.data.firestore import FirestoreDataClient
from app.metrics import Metrics
from app.model import User
from app.settings import Settings
from local.cloud.firestore import FirestoreServer
from local.cloud.grpc_server import HOST
from local.cloud.momento import MomentoServer
from tests.app.servers import MOMENTO_API_KEY, momento_cache

DELAY = 0.010  # seconds
FOLLOWERS = 100
REPEAT = 20
ROUTES = ["users", "cached-users", "followers", "cached-followers", "profile-pic", "cached-profile-pic"]


def main() -> None:
    log = io.StringIO()
    metrics = Metrics(stream=log)
    with FirestoreServer() as firestore, MomentoServer(MOMENTO_API_KEY) as momento:
        os.environ["FIRESTORE_EMULATOR_HOST"] = f"{HOST}:{firestore.port}"
        data = FirestoreDataClient("benchmark", "(default)", metrics)
        followers = tuple(f"f{i}" for i in range(FOLLOWERS))
        data.put_users([User(id="1", name="One", version="a", followers=followers, profile_pic=b"GIF89a")])
        data.put_users([User(id=i, name=i, version="a") for i in followers])
        settings = momento_cache(momento)
        with MomentoCache(settings, lambda: MOMENTO_API_KEY, metrics, timedelta(seconds=5)) as cache:
            app = assemble(Settings(), metrics, data, cache)
            firestore.fault = momento.fault = _delay
            with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://benchmark") as client:
                _report(lambda route: client.get(f"/{route}/1", headers={"X-User-Id": "1"}), log)


def _report(get: Callable[[str], httpx.Response], log: io.StringIO) -> None:
    print(
        f"{'route':22}{'store':>6}{'cache':>6}{'p50 ms':>9}{'max ms':>9}   (warm, upstream delay {DELAY * 1000:.0f} ms)"
    )
    for route in ROUTES:
        get(route).raise_for_status()
        log.seek(0)
        log.truncate()
        times = [_timed(get, route) for _ in range(REPEAT)]
        calls = Counter(line.get("upstream") for line in map(json.loads, log.getvalue().splitlines()))
        store, cache = calls["firestore"] / REPEAT, calls["momento"] / REPEAT
        print(f"{route:22}{store:6g}{cache:6g}{statistics.median(times):9.1f}{max(times):9.1f}")


def _timed(get: Callable[[str], httpx.Response], route: str) -> float:
    start = time.perf_counter()
    get(route).raise_for_status()
    return (time.perf_counter() - start) * 1000


def _delay(method: str, context: grpc.ServicerContext) -> None:
    time.sleep(DELAY)


if __name__ == "__main__":
    main()
