"""Batches that a store answers in parts, as both do when they are busy or the answer is large."""

import random
import time

from app import deadline
from app.data import StoreUnavailable

IDLE_ROUNDS = 6
SILENT_ROUNDS = 2
LONGEST_PAUSE = 1.6  # seconds


class Pace:
    """When to ask for the rest of a batch: at once while rounds serve something, later after one that did not.

    IDLE_ROUNDS of those in a row are StoreUnavailable, as are SILENT_ROUNDS that used up their whole timeout, and a
    pause for which the request has no time.
    """

    def __init__(self, batch: str) -> None:
        self.progressed = False
        self._batch = batch
        self._idle = 0

    def after_round(self, served: bool, error: Exception | None = None, silent: bool = False) -> None:
        """Returns when it is time for the next round. `error` is what ended this one, if anything did."""
        if served:
            self.progressed, self._idle = True, 0
            return
        self._idle += IDLE_ROUNDS // SILENT_ROUNDS if silent else 1
        pause = min(0.1 * 2 ** (self._idle - 1), LONGEST_PAUSE) * random.uniform(0.5, 1)
        if self._idle >= IDLE_ROUNDS or deadline.left() < pause:
            raise StoreUnavailable(f"{self._batch}: {error or 'part of it stays unserved'}") from error
        time.sleep(pause)
