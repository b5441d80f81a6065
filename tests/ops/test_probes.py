"""Probes reach both revisions, for a limited time."""

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from ops import probes
from ops.stack import Stack
from tests.ops.cloud import Cloud

OUTPUTS = {"url": "https://a.example", "revision": "2", "stableRevision": "1", "percent": 10}


@pytest.fixture
def functions() -> Iterator[Cloud]:
    with closing(Cloud()) as cloud:
        yield cloud


def rolling_out(functions: Cloud) -> Stack:
    stack = functions.stack("aws")
    return replace(stack, outputs={**stack.outputs, **OUTPUTS})


def test_as_many_for_either_revision(functions: Cloud) -> None:
    probes.send_probes(rolling_out(functions), 5)
    assert len(functions.asked) == 10


@pytest.mark.parametrize(("count", "share"), [(20, 1), (20, 0.99), (20, 0.5), (100, 0.9), (100, 0.1)])
def test_a_share_of_the_requests_is_enough(count: int, share: float) -> None:
    sent = probes.needed(count, share)
    assert fewer(count, sent, share) <= 1e-6 < fewer(count, sent - 1, share)


def test_no_number_is_too_large() -> None:
    assert 10_000 < probes.needed(5000, 0.5) < 11_000


def fewer(count: int, sent: int, share: float) -> float:
    """The chance that fewer than `count` of the requests reach a revision with this share of them."""
    return sum(math.comb(sent, got) * share**got * (1 - share) ** (sent - got) for got in range(min(count, sent + 1)))


def test_a_revision_that_hangs_is_not_asked_for_ever(functions: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "WITHIN", -1)
    probes.send_probes(rolling_out(functions), 5)
    assert functions.asked == []
