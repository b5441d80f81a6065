"""Probes reach both revisions, for a limited time."""

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


def test_a_revision_that_hangs_is_not_asked_for_ever(functions: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "WITHIN", -1)
    probes.send_probes(rolling_out(functions), 5)
    assert functions.asked == []
