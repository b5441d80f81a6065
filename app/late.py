"""Values that are made when they are first needed, so that a cold start pays only for what its first request uses."""

from collections.abc import Callable
from threading import Lock


class Late[T]:
    """Calls `make` at the first call, whichever thread that is in, and again only if it raised."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = Lock()
        self.made: T | None = None

    def __call__(self) -> T:
        with self._lock:
            if self.made is None:
                self.made = self._make()
            return self.made
