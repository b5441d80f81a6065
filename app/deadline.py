"""When the request at hand must be answered. Upstream calls that could end later do not begin.

The end is in a context variable, so that no layer has to hand it on. Without one there is no limit.
"""

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

MARGIN = 1.0
"""Seconds between the end of what upstreams may use and the platform's timeout: for the last calls of the cache, whose
deadline is short, and for sending the answer."""

now = time.monotonic
_end: ContextVar[float] = ContextVar("deadline", default=math.inf)


def left() -> float:
    """Seconds; negative when the time is over."""
    return _end.get() - now()


@contextmanager
def within(seconds: float) -> Generator[None]:
    """End all that runs in this block within `seconds`, or by the deadline that is set already if that is earlier."""
    token = _end.set(min(_end.get(), now() + seconds))
    try:
        yield
    finally:
        _end.reset(token)
