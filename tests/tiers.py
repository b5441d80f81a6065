"""Two tiers of proof: `make test` shows every behaviour once, `make prove` also runs what is marked `prove`."""

import os
from collections.abc import Collection, Sequence

import pytest


def seeds(test: Collection[int], prove: int) -> pytest.MarkDecorator:
    """Parametrize a test by `seed`: those of `test` in `make test`, the first `prove` in `make prove`.

    They are the same in every run, so that a red run is never luck. SEEDS=500 makes it the first 500, SEEDS="100 200"
    those from 100 up to 200. A failure names its seed; pytest "test_it.py::test_it[seed 17]" runs it again.
    """
    return pytest.mark.parametrize(
        "seed", [pytest.param(seed, id=f"seed {seed}", marks=_marks(seed in test)) for seed in _chosen(prove)]
    )


def cases(names: str, values: Sequence[tuple[str, ...]], test: int) -> pytest.MarkDecorator:
    """Parametrize a test by slow cases, of which SEEDS limits the number too: the first `test` in `make test`."""
    chosen = [(number, values[number]) for number in _chosen(len(values)) if number < len(values)]
    return pytest.mark.parametrize(
        names, [pytest.param(*value, id=" ".join(value), marks=_marks(number < test)) for number, value in chosen]
    )


def _chosen(prove: int) -> range:
    return range(*map(int, os.environ.get("SEEDS", str(prove)).split()))


def _marks(shown: bool) -> list[pytest.MarkDecorator]:
    return [] if shown else [pytest.mark.prove]
