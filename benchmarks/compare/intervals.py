"""Percentiles, and medians with an interval that holds however the numbers are distributed."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Median(NamedTuple):
    """A median and the bounds of its confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def median(values: Sequence[float]) -> Median:
    """The interval is between order statistics, and covers 95 % at least; of fewer than six values it is their range.

    https://online.stat.psu.edu/stat415/lesson/19/19.1
    """
    ordered = sorted(values)
    left_out = _left_out(len(ordered))
    return Median(statistics.median(ordered), ordered[left_out], ordered[-1 - left_out])


def ratio(values: Sequence[float], floor: Sequence[float]) -> Median:
    """The median of the quotients, each of two values of the same round."""
    return median([value / base for value, base in zip(values, floor, strict=True)])


def difference(values: Sequence[float], floor: Sequence[float]) -> Median:
    """The median of the differences, each of two values of the same round."""
    return median([value - base for value, base in zip(values, floor, strict=True)])


def p50_p99(times: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"p50": cuts[49], "p99": cuts[98]}


def _left_out(count: int) -> int:
    """How many values are outside of the interval at each end, so that the median is with a chance of 2.5 % at most."""
    left_out, chance = 0, 0.5**count
    while (chance := chance + math.comb(count, left_out + 1) * 0.5**count) <= 0.025:
        left_out += 1
    return left_out
