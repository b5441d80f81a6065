"""Starts without garbage collection (https://docs.python.org/3/library/gc.html)."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Generator[None]:
    """Collect no garbage in the block, which imports and creates the app, and never look at what it has created.

    Hardly any of it is garbage, but looking for some takes about a tenth of a cold start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
