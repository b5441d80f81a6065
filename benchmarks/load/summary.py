"""Requests and the times of metric lines, as percentiles over a time and over time."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ops.metric_log import Time

STORES = ("dynamodb", "firestore")
UPSTREAMS = (*STORES, "momento")
PICTURED = ("GET:/followers", "GET:/cached-followers", *UPSTREAMS)
BUCKET = 5  # seconds


@dataclass(frozen=True)
class Request:
    """What a client saw. `at` is when it was sent, in Unix seconds; `api` is as the app's metrics name it, without the
    parameter of the path.
    """

    at: float
    target: str
    api: str
    milliseconds: float
    failed: bool


@dataclass(frozen=True)
class Line:
    """`rate` is a second; times are in ms, and None if there are none."""

    rate: float
    p50: float | None
    p95: float | None
    p99: float | None
    errors: int


def of_requests(requests: Iterable[Request], seconds: float) -> dict[str, Line]:
    """By API, each before the one with the cache."""
    by_api: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        by_api[request.api].append(request)
    return {
        api: _line([one.milliseconds for one in found], sum(one.failed for one in found), seconds)
        for api, found in sorted(by_api.items(), key=lambda item: (item[0].replace("cached-", ""), "cached" in item[0]))
    }


def of_upstreams(times: Iterable[Time], seconds: float) -> dict[str, Line]:
    by_name: dict[str, list[float]] = {name: [] for name in UPSTREAMS}
    for time in times:
        if time.name in by_name:
            by_name[time.name].append(time.milliseconds)
    return {name: _line(found, 0, seconds) for name, found in by_name.items() if found}


def over_time(times: Iterable[Time], begin: float) -> dict[str, list[tuple[int, float, float]]]:
    """Of each that is pictured: the seconds since `begin` at which BUCKET seconds start, and their p50 and p99."""
    buckets: dict[str, dict[int, list[float]]] = {name: defaultdict(list) for name in PICTURED}
    for time in times:
        name = time.name.removesuffix("/{user_id}")
        if name in buckets and time.at >= begin:
            buckets[name][int((time.at - begin) // BUCKET)].append(time.milliseconds)
    return {
        name: [
            (number * BUCKET, percentile(found, 50), percentile(found, 99)) for number, found in sorted(of_name.items())
        ]
        for name, of_name in buckets.items()
        if of_name
    }


def percentile(times: Sequence[float], percent: int) -> float:
    """The time within which that percentage was done, in the unit of `times`, to one decimal."""
    return round(sorted(times)[math.ceil(len(times) * percent / 100) - 1], 1)


def _line(times: Sequence[float], errors: int, seconds: float) -> Line:
    p50, p95, p99 = (percentile(times, percent) if times else None for percent in (50, 95, 99))
    return Line(round(len(times) / seconds, 1), p50, p95, p99, errors)
