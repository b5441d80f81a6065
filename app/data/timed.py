"""Timed calls of the stores."""

from collections.abc import Generator
from contextlib import contextmanager

from app import deadline
from app.data import StoreUnavailable
from app.metrics import Metrics, Timing


@contextmanager
def timed(metrics: Metrics, upstream: str, operation: str, longest: float) -> Generator[Timing]:
    """Time one round trip, which may take `longest` seconds. Raises StoreUnavailable if that is more than is left."""
    if deadline.left() < longest:
        raise StoreUnavailable(f"{upstream} {operation}: no time is left for it")
    with metrics.upstream(upstream, operation) as timing:
        yield timing
