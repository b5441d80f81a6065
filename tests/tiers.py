"""Two tiers of proof: `make test` shows every behaviour once, `make prove` also runs what is marked `prove`."""

import os

import pytest


def seeds(test: int, prove: int) -> pytest.MarkDecorator:
    """Parametrize a test by `seed`: the first `test` seeds in `make test`, `prove` of them in `make prove`.

    They are the same in every run, so that a red run is never luck. SEEDS=500 makes it the first 500, SEEDS="100 200"
    those from 100 up to 200. A failure names its seed; pytest "test_it.py::test_it[seed 17]" runs it again.
    """
    chosen = range(*map(int, os.environ.get("SEEDS", str(prove)).split()))
    return pytest.mark.parametrize(
        "seed", [pytest.param(seed, id=f"seed {seed}", marks=[pytest.mark.prove] * (seed >= test)) for seed in chosen]
    )
