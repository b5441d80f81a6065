"""File locks, which the kernel releases when the last process that holds one ends for any reason (flock(2)).

A lock's file lists the processes that hold it, one per line.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import Signals
from typing import TextIO


@contextmanager
def taken(path: Path, *, wait: bool = False) -> Generator[TextIO | None]:
    """Takes the lock and empties its file, which it yields.

    If another process holds the lock, waits for it, or yields None.
    """
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield None
        else:
            file.truncate(0)
            yield file


def is_held(path: Path) -> bool:
    with taken(path) as file:
        return file is None


def wait_until_free(path: Path, within: float) -> bool:
    """Whether the lock became free within so many seconds."""
    deadline = time.monotonic() + within
    while is_held(path):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True


def signal_holders(path: Path, number: Signals) -> None:
    for pid in filter(str.isdecimal, path.read_text(errors="replace").split()):
        with suppress(ProcessLookupError, OverflowError):
            os.kill(int(pid), number)
