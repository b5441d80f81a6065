"""Measures in rounds: in each, every peer once for every metric."""

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.compare import cloud_run, lambda_runtime
from benchmarks.compare.catalog import Peer
from benchmarks.compare.packages import Package
from benchmarks.compare.processes import CompareError

WARM_REQUESTS = 150
LONGEST = 8 * 60
"""Seconds after which no round begins, so that a busy machine ends within ten minutes too."""
FEWEST = 6
"""Rounds that have a confidence interval of 95 %."""


def measure(
    packages: Mapping[str, Package], peers: Sequence[Peer], upstreams: Mapping[str, str], core: int, rounds: int
) -> dict[str, dict[str, list[float]]]:
    """The values of each round by peer and metric. The first round, which fills the caches of files, is dropped.

    Raises CompareError if a peer does not work, or the machine is too busy.
    """
    found: dict[str, dict[str, list[float]]] = {peer.name: defaultdict(list) for peer in peers}
    started = time.monotonic()
    for number in range(1 + rounds):
        if time.monotonic() - started > LONGEST:
            if number - 1 < FEWEST:
                raise CompareError(f"{number - 1} rounds took {LONGEST // 60} minutes: this machine is too busy")
            print(f"{number - 1} rounds of {rounds} took {LONGEST // 60} minutes, so they have to do", file=sys.stderr)
            break
        for peer in peers:
            for metric, value in _once(peer, packages[peer.name], upstreams, core):
                if number:
                    found[peer.name][metric].append(round(value, 3))
    return found


def _once(peer: Peer, package: Package, upstreams: Mapping[str, str], core: int) -> Iterator[tuple[str, float]]:
    """Of a peer without .pyc files only the cold start: later it does the same as with them."""
    requests, folder = WARM_REQUESTS if peer.compiled else 0, package.folder
    try:
        match peer.platform:
            case "lambda":
                yield from asyncio.run(lambda_runtime.measure(peer, folder, upstreams, core, requests)).items()
                if peer.compiled:
                    yield from asyncio.run(lambda_runtime.measure_restore(peer, folder, upstreams, core)).items()
            case "run":
                yield from cloud_run.measure(peer, folder, upstreams, core, requests).items()
            case _:
                yield from cloud_run.measure_throughput(peer, folder, upstreams, core).items()
    except CompareError as error:
        raise CompareError(f"{peer.name}: {error}") from error
