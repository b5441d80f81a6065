"""Measures in rounds: in each, every peer once for every metric."""

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

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
    """The values of each round by peer and metric. Of a peer without .pyc files only the cold start is measured: later
    it does the same as with them. The first round is of cold starts alone, fills the caches of files, and is dropped.

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
            warm = WARM_REQUESTS if number and peer.compiled else 0
            for metric, value in _once(peer, packages[peer.name].folder, upstreams, core, warm):
                if number:
                    found[peer.name][metric].append(round(value, 3))
    return found


def _once(
    peer: Peer, folder: Path, upstreams: Mapping[str, str], core: int, requests: int
) -> Iterator[tuple[str, float]]:
    """Without `requests`, only the cold start, if that of the platform is measured at all."""
    try:
        match peer.platform:
            case "lambda":
                yield from asyncio.run(lambda_runtime.measure(peer, folder, upstreams, core, requests)).items()
                if requests:
                    yield from asyncio.run(lambda_runtime.measure_restore(peer, folder, upstreams, core)).items()
            case "run":
                yield from cloud_run.measure(peer, folder, upstreams, core, requests).items()
            case _:
                if requests:
                    yield from cloud_run.measure_throughput(peer, folder, upstreams, core).items()
    except CompareError as error:
        raise CompareError(f"{peer.name}: {error}") from error
