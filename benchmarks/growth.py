"""What a request costs as followers and concurrency grow: `make bench` renews docs/growth.json.

The warm app runs in this process with its real clients and the deadlines that ship; calls and bytes are counted on the
wires to the stores and to the cache (benchmarks/wire.py), where each call takes 10 ms more. "One by one" reads a user
and each follower separately, as the original demo did, for comparison with the batch.
"""

import io
import itertools
import signal
import statistics
import sys
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from app.bootstrap import assemble
from app.cache.momento import MomentoCache
from app.data import DataClient
from app.metrics import Metrics
from app.model import User
from app.settings import Settings
from benchmarks.compare.intervals import p50_p99
from benchmarks.upstreams import Upstreams, upstreams
from benchmarks.wire import DELAY
from docs.raw import dump
from tests.app.servers import MOMENTO_API_KEY, NotInstalled, await_connection
from tests.app.stores import CLIENTS

DATA = Path(__file__).parents[1] / "docs" / "growth.json"
DEPTH = 3  # a line for each measurement
SIZES = (1, 10, 100, 1000)
FOLLOWERS = tuple(f"f{number}" for number in range(SIZES[-1]))
ONE_BY_ONE = "one by one"
FLOOR = ("/users", "/cached-users", "/profile-pic", "/cached-profile-pic")
CONCURRENT = (1, 2, 5, 10, 20, 40, 80)
CONCURRENT_ROUTES = ("/users", "/followers", "/cached-followers")
FOLLOWERS_THEN = 10
REPEAT = 20

type Ask = Callable[[], object]


@dataclass(frozen=True)
class Cost:
    """Of a request: `route` with `followers`, calls, bytes in both directions, and the median of the times in ms."""

    route: str
    followers: int
    store: float
    cache: float
    bytes: int
    milliseconds: float


@dataclass(frozen=True)
class Concurrent:
    """`clients` ask at the same time; the median and the 99th percentile of the times in ms, and requests a second."""

    route: str
    clients: int
    p50: float
    p99: float
    rate: float


def main() -> None:
    with upstreams() as found:
        stores = {"dynamodb": found.dynamodb, "firestore": found.firestore}
        measured = {kind: _measure(CLIENTS[kind](address, _silent()), found) for kind, address in stores.items()}
    DATA.write_text(dump({"delay": round(DELAY * 1000), **measured}, DEPTH) + "\n")
    print(f"wrote {DATA.name}: `make docs` draws it")


def _measure(data: DataClient, found: Upstreams) -> dict[str, Any]:
    for ids in itertools.batched(FOLLOWERS, 100, strict=False):
        data.put_users([User(id=id, name=f"Follower {id}", version="a") for id in ids])
    for size in SIZES:
        reader = User(id=f"r{size}", name="One", version="a", followers=FOLLOWERS[:size], profile_pic=b"GIF89a")
        data.put_users([reader])
    with _client(data, found) as client:
        costs = [asdict(cost) for cost in _by_followers(data, client, found)]
        return {"costs": costs, "concurrent": [asdict(one) for one in _by_concurrency(client)]}


def _by_followers(data: DataClient, client: httpx.Client, found: Upstreams) -> Iterator[Cost]:
    def cost(route: str, followers: int, miss: bool = False) -> Cost:
        path = f"{route}/r{followers}"
        return _cost(f"{route}, miss" if miss else route, followers, lambda: _get(client, path), found, miss)

    yield from (cost(route, 1) for route in FLOOR)
    for size in SIZES:
        yield cost("/followers", size)
        yield cost("/cached-followers", size)
        yield cost("/cached-followers", size, miss=True)
    for size in SIZES[:3]:
        ids = (f"r{size}", *FOLLOWERS[:size])
        yield _cost(ONE_BY_ONE, size, lambda ids=ids: list(map(data.get_user, ids)), found)


def _cost(route: str, followers: int, ask: Ask, found: Upstreams, miss: bool = False) -> Cost:
    ask()
    ask()  # the first one of many followers is too late to fill the cache
    times: list[float] = []
    store = cache = size = 0
    for _ in range(REPEAT):
        if miss:
            found.clear_cache()
        found.count()
        times.append(_timed(ask))
        counted = found.count()
        store, cache, size = store + counted.store, cache + counted.cache, size + counted.bytes
    median = round(statistics.median(times), 1)
    return Cost(route, followers, round(store / REPEAT, 1), round(cache / REPEAT, 1), round(size / REPEAT), median)


def _by_concurrency(client: httpx.Client) -> Iterator[Concurrent]:
    for route in CONCURRENT_ROUTES:
        for clients in CONCURRENT:
            with ThreadPoolExecutor(clients) as threads:

                def ask(number: int, path: str = f"{route}/r{FOLLOWERS_THEN}") -> float:
                    return _timed(lambda: _get(client, path))

                list(threads.map(ask, range(clients)))  # each thread has its connections
                count = max(REPEAT, 5 * clients)
                begin = time.perf_counter()
                times = list(threads.map(ask, range(count)))
                rate = count / (time.perf_counter() - begin)
            p50, p99 = (round(milliseconds, 1) for milliseconds in p50_p99(times).values())
            yield Concurrent(route, clients, p50, p99, round(rate, 1))


@contextmanager
def _client(data: DataClient, found: Upstreams) -> Generator[httpx.Client]:
    """A client of the app, whose cache is connected."""
    with MomentoCache(found.cache, lambda: MOMENTO_API_KEY, _silent()) as cache:
        await_connection(cache)
        transport = httpx.WSGITransport(assemble(Settings(), _silent(), data, cache))
        with httpx.Client(transport=transport, base_url="http://benchmark", headers={"X-User-Id": "r1"}) as client:
            yield client


def _silent() -> Metrics:
    return Metrics(stream=io.StringIO())


def _get(client: httpx.Client, path: str) -> None:
    client.get(path).raise_for_status()


def _timed(ask: Ask) -> float:
    start = time.perf_counter()
    ask()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        main()
    except NotInstalled as missing:
        sys.exit(f"benchmarks: {missing}")
    except KeyboardInterrupt:
        sys.exit("interrupted")
