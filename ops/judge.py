"""Compares a canary's requests with those that the stable revision handled at the same time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ops.request_log import LIMIT, Request

CHANCE = 0.0001
"""Differences that chance alone makes this often, or more often, are none."""
SLOWER_BY = 100  # ms; a smaller difference is none, however many times slower it is


class Verdict(StrEnum):
    """https://argo-rollouts.readthedocs.io/en/stable/features/analysis/"""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


@dataclass(frozen=True)
class Limits:
    """`max_errors` are percentage points more than the stable revision fails, `max_slowdown` is times its p99."""

    min_requests: int
    max_errors: int
    max_slowdown: int


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    reason: str


def judge(canary: Sequence[Request], stable: Sequence[Request], limits: Limits, warm: float) -> Judgement:
    """Failed if the canary fails, or is slow, more often than the limits allow and chance explains.

    A canary fails with however few requests. It succeeds with at least `min_requests` of either revision. Requests
    before `warm`, in Unix seconds, may have waited for an instance of the canary to start: their times do not count.
    """
    reason = worse(canary, stable, limits, warm)
    if reason:
        return Judgement(Verdict.FAILED, reason)
    for name, requests in (("the canary", canary), ("the stable revision", stable)):
        if len(requests) < limits.min_requests:
            few = f"{len(requests)} requests of {name} are fewer than {limits.min_requests}"
            return Judgement(Verdict.INCONCLUSIVE, few)
    return Judgement(Verdict.SUCCESSFUL, f"{len(canary)} requests, as good as {len(stable)} of the stable revision")


def worse(canary: Sequence[Request], stable: Sequence[Request], limits: Limits, warm: float) -> str:
    """Why the canary is worse in the minutes that are known of both; empty if it is not."""
    canary, stable = _of_the_same_time(canary, stable)
    failed, failed_stable = _failed(canary), _failed(stable)
    difference = _share(failed, canary) - _share(failed_stable, stable)
    if difference > limits.max_errors / 100 and _chance(failed, canary, failed_stable, stable) < CHANCE:
        return f"{failed} of {len(canary)} requests failed, of the stable revision {failed_stable} of {len(stable)}"
    canary, stable = _timed(canary, warm), _timed(stable, warm)
    if not stable:
        return ""
    usual = p99(stable)
    limit = max(usual * limits.max_slowdown, usual + SLOWER_BY)
    slow, slow_stable = _slower(canary, limit), _slower(stable, limit)
    if _share(slow, canary) > 0.01 and _chance(slow, canary, slow_stable, stable) < CHANCE:
        return f"{slow} of {len(canary)} requests took over {limit:.0f} ms; the stable revision's p99 is {usual:.0f} ms"
    return ""


def p99(requests: Sequence[Request]) -> float:
    """The time in ms within which 99 % of the requests were answered."""
    times = sorted(request.milliseconds for request in requests)
    return times[math.ceil(len(times) * 0.99) - 1]


def _of_the_same_time(*revisions: Sequence[Request]) -> list[list[Request]]:
    """Without what came before the oldest of a revision's requests, of which only the newest LIMIT are known: what has
    disturbed both meanwhile would else count against the one with fewer.
    """
    begin = max((min(one.at for one in requests) for requests in revisions if len(requests) >= LIMIT), default=0.0)
    return [[one for one in requests if one.at >= begin] for requests in revisions]


def _timed(requests: Sequence[Request], warm: float) -> list[Request]:
    """Those whose times can be compared: starts are slow in every revision, and failures may be fast."""
    return [request for request in requests if request.at >= warm and not request.cold and not request.failed]


def _failed(requests: Sequence[Request]) -> int:
    return sum(request.failed for request in requests)


def _slower(requests: Sequence[Request], limit: float) -> int:
    return sum(request.milliseconds > limit for request in requests)


def _share(count: int, requests: Sequence[Request]) -> float:
    return count / len(requests) if requests else 0


def _chance(count: int, canary: Sequence[Request], stable_count: int, stable: Sequence[Request]) -> float:
    """How often chance alone gives the canary `count` or more of all such requests: Fisher's exact test, one-sided.

    https://en.wikipedia.org/wiki/Fisher%27s_exact_test
    """
    total, of_all = len(canary) + len(stable), count + stable_count
    most = min(of_all, len(canary))
    ways = (_log_choose(len(canary), k) + _log_choose(len(stable), of_all - k) for k in range(count, most + 1))
    everything = _log_choose(total, of_all)
    return sum(math.exp(way - everything) for way in ways)


def _log_choose(n: int, k: int) -> float:
    """The logarithm of how many ways there are to choose k of n."""
    if not 0 <= k <= n:
        return -math.inf
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
