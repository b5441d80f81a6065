"""Pacing of reads and batches that a store answers in parts, as when it is busy or the answer is large."""

import random
import time

from app import deadline
from app.data import StoreUnavailable

LONGEST_PAGE = 1000
"""The most records that `list_users` reads at a time, to get past records that are not users."""

IDLE_ROUNDS = 6
SILENT_ROUNDS = 2
LONGEST_PAUSE = 1.6  # seconds


class Pace:
    """Decides when to ask for the rest of a batch: at once after progress, after a pause without it.

    Raises StoreUnavailable after IDLE_ROUNDS in a row without progress, or SILENT_ROUNDS that used up their whole
    timeout, or if the request has no time for the pause.
    """

    def __init__(self, batch: str) -> None:
        self.progressed = False
        self._batch = batch
        self._idle = 0

    def after_round(self, served: bool, error: Exception | None = None, silent: bool = False) -> None:
        """Returns when it is time for the next round. `error` is what ended this round, if it failed."""
        if served:
            self.progressed, self._idle = True, 0
            return
        self._idle += IDLE_ROUNDS // SILENT_ROUNDS if silent else 1
        pause = min(0.1 * 2 ** (self._idle - 1), LONGEST_PAUSE) * random.uniform(0.5, 1)
        if self._idle >= IDLE_ROUNDS or deadline.left() < pause:
            raise StoreUnavailable(f"{self._batch}: {error or 'part of it stays unanswered'}") from error
        time.sleep(pause)
