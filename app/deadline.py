"""The deadline of the current request. An upstream call that could end after it does not begin.

The deadline is a context variable, so that no layer has to pass it on. Without one there is no limit.
"""

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

MARGIN = 1.0
"""Seconds between the deadline and the platform's timeout: for the last calls to the cache, which are short, and for
sending the response."""

now = time.monotonic
_end: ContextVar[float] = ContextVar("deadline", default=math.inf)


def left() -> float:
    """Seconds until the deadline; negative after it."""
    return _end.get() - now()


@contextmanager
def within(seconds: float) -> Generator[None]:
    """Set a deadline for the block, `seconds` from now, unless an earlier one is already set."""
    token = _end.set(min(_end.get(), now() + seconds))
    try:
        yield
    finally:
        _end.reset(token)
