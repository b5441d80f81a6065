"""Latency of cached reads while every call to the cache takes two seconds: p50, p99 and maximum in ms, and for
comparison the p50 of the same read without a cache.

    app/.venv/bin/python -m benchmarks.slow_cache

The app runs in this process with its real clients and its circuit breaker, against the local Firestore and Momento.
Each route is read for longer than the circuit's pause, so it includes reads that try the cache again. A read
every 20 ms is the load of one process of a small service.
"""

import io
import statistics
import threading
import time

import grpc
import httpx
from flask import Flask

from app.bootstrap import assemble
from app.cache.breaker import PAUSE_SECONDS, CircuitBreaker
from app.cache.momento import MomentoCache
from app.cache.none import NoCache
from app.data.firestore import FirestoreDataClient
from app.metrics import Metrics
from app.model import User
from app.settings import Settings
from benchmarks.compare.intervals import p50_p99
from local.cloud.common.grpc_server import HOST
from local.cloud.gcp.firestore.server import FirestoreServer
from local.cloud.momento import MomentoServer
from tests.app.servers import MOMENTO_API_KEY, momento_cache

SLOW = 2.0  # seconds
LASTS = PAUSE_SECONDS * 1.5  # seconds
EVERY = 0.020  # seconds
FOLLOWERS = 10
ROUTES = ["cached-users", "cached-followers", "cached-profile-pic"]


def main() -> None:
    metrics = Metrics(stream=io.StringIO())
    with FirestoreServer() as firestore, MomentoServer(MOMENTO_API_KEY) as momento:
        data = FirestoreDataClient("benchmark", "(default)", metrics, f"{HOST}:{firestore.port}")
        followers = tuple(f"f{i}" for i in range(FOLLOWERS))
        data.put_users([User(id="1", name="One", version="a", followers=followers, profile_pic=b"GIF89a")])
        data.put_users([User(id=i, name=i, version="a") for i in followers])
        settings = momento_cache(momento)
        without = assemble(Settings(), metrics, data, NoCache())
        over = threading.Event()

        def hold(method: str, context: grpc.ServicerContext) -> None:
            over.wait(SLOW)

        momento.fault = hold
        print(f"{'route':22}{'reads':>6}{'p50':>8}{'p99':>8}{'max':>8}{'no cache':>10}   (ms; cache {SLOW:g} s)")
        for route in ROUTES:
            with MomentoCache(settings, lambda: MOMENTO_API_KEY, metrics) as cache:
                slow = _read(route, LASTS, assemble(Settings(), metrics, data, CircuitBreaker(cache)))
            p50, p99 = p50_p99(slow).values()
            no_cache = statistics.median(_read(route, 1, without))
            print(f"{route:22}{len(slow):6}{p50:8.1f}{p99:8.1f}{max(slow):8.1f}{no_cache:10.1f}")
        over.set()


def _read(route: str, seconds: float, app: Flask) -> list[float]:
    """The milliseconds of each read. Raises unless the store answers all of them."""
    times: list[float] = []
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://benchmark") as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            start = time.perf_counter()
            answer = client.get(f"/{route}/1", headers={"X-User-Id": "1"}).raise_for_status()
            times.append((time.perf_counter() - start) * 1000)
            assert "fwd=" in answer.headers["Cache-Status"]
            time.sleep(EVERY)
    return times


if __name__ == "__main__":
    main()
