"""Percentiles, and medians with an interval that needs no assumption about how the numbers are distributed."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Median(NamedTuple):
    """A median, and the bounds of its 95 % confidence interval."""

    value: float
    low: float
    high: float


def median(values: Sequence[float]) -> Median:
    """The interval is that of the order statistics; of fewer than six values it is from the least to the greatest.

    https://en.wikipedia.org/wiki/Median#Confidence_interval... of the binomial distribution of ranks
    """
    ordered = sorted(values)
    rank = _rank(len(ordered))
    return Median(statistics.median(ordered), ordered[rank], ordered[-1 - rank])


def ratios(values: Sequence[float], floor: Sequence[float]) -> Median:
    """The median of the quotients of the values of the same round."""
    return median([value / least for value, least in zip(values, floor, strict=True)])


def differences(values: Sequence[float], floor: Sequence[float]) -> Median:
    """The median of the differences of the values of the same round."""
    return median([value - least for value, least in zip(values, floor, strict=True)])


def p50_p99(times: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"p50": cuts[49], "p99": cuts[98]}


def _rank(count: int) -> int:
    """How many values lie outside of the interval at each end: as many as leave each a chance of 2.5 % at most."""
    chance = 0.0
    for rank in range(count):
        chance += math.comb(count, rank) / 2**count
        if chance > 0.025:
            return rank
    return 0
