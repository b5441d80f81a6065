"""The judge compares a canary with the stable revision, and chance alone never fails it."""

import random

import pytest

from ops.judge import Judgement, Limits, Verdict, judge
from ops.request_log import LIMIT, Request

LIMITS = Limits(min_requests=100, max_errors=1, max_slowdown=2)


def requests(count: int, failing: float = 0, slow: float = 0, by: float = 600, seed: int = 1) -> list[Request]:
    """`failing` and `slow` are shares of the requests; the slow ones take `by` ms longer. The others take about 100."""
    chance = random.Random(seed)
    return [
        Request(
            failed=number < failing * count,
            milliseconds=chance.lognormvariate(4.6, 0.3) + by * (chance.random() < slow),
            cold=False,
            at=0,
        )
        for number in chance.sample(range(count), count)
    ]


def verdict(canary: list[Request], stable: list[Request], limits: Limits = LIMITS) -> Verdict:
    return judge(canary, stable, limits, warm=0).verdict


@pytest.mark.parametrize("failing", [0, 0.02, 1])
def test_as_many_failures_as_the_stable_revision_are_none_of_the_canarys(failing: float) -> None:
    canary, stable = requests(500, failing), requests(4500, failing, seed=2)
    assert verdict(canary, stable) is Verdict.SUCCESSFUL


def test_a_fix_succeeds_though_it_still_fails_a_little() -> None:
    assert verdict(requests(300, 0.05), requests(300, 0.6)) is Verdict.SUCCESSFUL


def test_five_percent_more_failures_fail() -> None:
    assert judge(requests(200, 0.05), requests(1800), LIMITS, warm=0) == Judgement(
        Verdict.FAILED, "10 of 200 requests failed, of the stable revision 0 of 1800"
    )


def test_few_requests_are_enough_to_fail_and_not_to_succeed() -> None:
    assert verdict(requests(5, 1), requests(45)) is Verdict.FAILED
    assert verdict(requests(99), requests(4500)) is Verdict.INCONCLUSIVE
    assert verdict(requests(100), requests(99)) is Verdict.INCONCLUSIVE
    assert verdict(requests(100), requests(100)) is Verdict.SUCCESSFUL
    assert verdict([], []) is Verdict.INCONCLUSIVE


def test_one_failure_is_chance() -> None:
    assert verdict([*requests(99), Request(True, 1, False, 0)], requests(900)) is Verdict.SUCCESSFUL


def test_significant_but_within_the_limit() -> None:
    canary, stable = requests(5000, 0.02), requests(5000)
    assert verdict(canary, stable, Limits(100, 2, 2)) is Verdict.SUCCESSFUL
    assert verdict(canary, stable) is Verdict.FAILED


@pytest.mark.parametrize("share", [0.03, 0.2, 1])
def test_a_slow_canary_fails(share: float) -> None:
    result = judge(requests(500, slow=share), requests(4500, seed=2), LIMITS, warm=0)
    assert result.verdict is Verdict.FAILED
    assert "of 500 requests took over" in result.reason


def test_slower_than_the_limit_allows() -> None:
    canary, stable = requests(500, slow=0.1, by=600), requests(4500, slow=0.1, by=300, seed=2)
    assert verdict(canary, stable) is Verdict.SUCCESSFUL
    assert verdict(canary, stable, Limits(100, 1, 1)) is Verdict.FAILED


def test_many_times_slower_but_by_milliseconds() -> None:
    fast, slower = [Request(False, 2, False, 0)] * 500, [Request(False, 20, False, 0)] * 500
    assert verdict(slower, fast) is Verdict.SUCCESSFUL


def test_a_cold_start_is_no_slow_request() -> None:
    canary = [*requests(480), *[Request(False, 5000, True, 0)] * 20]
    assert verdict(canary, requests(4500, seed=2)) is Verdict.SUCCESSFUL


def test_times_count_once_the_instances_have_started() -> None:
    """Requests wait for a start together, and only the first of them is known to be cold."""
    canary = [Request(False, 3000 if at < 30 else 10, False, at=at) for at in range(300)]
    stable = [Request(False, 10, False, at=at) for at in range(300)]
    assert judge(canary, stable, LIMITS, warm=0).verdict is Verdict.FAILED
    assert judge(canary, stable, LIMITS, warm=30).verdict is Verdict.SUCCESSFUL
    assert judge(canary[:30], stable[:30], LIMITS, warm=30).verdict is Verdict.INCONCLUSIVE


def test_no_good_canary_fails_by_chance() -> None:
    """Of 2,000 good canaries of an app that fails 1 % and is slow in 2 %, all by chance."""
    chance = random.Random(4)

    def sample(count: int) -> list[Request]:
        return [Request(chance.random() < 0.01, 100 + 900 * (chance.random() < 0.02), False, 0) for _ in range(count)]

    for size in (20, 100, 500):
        verdicts = [verdict(sample(size), sample(4 * size)) for _ in range(300)]
        assert Verdict.FAILED not in verdicts


def test_only_the_time_that_is_known_of_both_is_compared() -> None:
    """A store was down for both. Of the stable revision, with more requests, the newest 5,000 came after that."""
    stable = [Request(False, 10, False, at=1000 - number / 900) for number in range(LIMIT)]
    canary = [Request(number in range(1000, 1500), 10, False, at=1000 - number / 100) for number in range(4000)]
    assert verdict(canary, stable) is Verdict.SUCCESSFUL
    late = [Request(number < 50, 10, False, at=1000 - number / 100) for number in range(4000)]
    assert verdict(late, stable) is Verdict.FAILED
