"""The intervals of `make compare`."""

import math
import random

import pytest

from benchmarks.compare.intervals import difference, median, p50_p99, ratio


@pytest.mark.parametrize(("count", "first", "last"), [(5, 1, 5), (6, 1, 6), (16, 4, 13), (20, 6, 15), (25, 8, 18)])
def test_the_interval_is_between_the_ranks_of_the_tables(count: int, first: int, last: int) -> None:
    """Those for 95 % in https://online.stat.psu.edu/stat415/lesson/19/19.1, but for 5, which has no such interval."""
    values = list(range(1, count + 1))
    random.Random(1).shuffle(values)
    assert median(values)[1:] == (first, last)


def test_the_interval_holds_the_median_in_95_of_100_samples() -> None:
    draw = random.Random(2)
    held = 0
    for _ in range(1000):
        found = median([draw.expovariate(1) for _ in range(16)])
        held += found.low <= math.log(2) <= found.high
    assert held >= 950


def test_what_disturbs_a_round_does_not_disturb_its_ratio_and_difference() -> None:
    assert ratio([20, 40, 2000], [10, 20, 1000]) == (2, 2, 2)
    assert difference([11, 101, 12], [10, 100, 11]) == (1, 1, 1)


def test_percentiles() -> None:
    assert p50_p99([float(each) for each in range(101)]) == {"p50": 50, "p99": 99}
