"""Runs the engine for several stacks at once, and passes interrupts on to it."""

import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from pulumi import automation as auto

from local.cli import locks
from local.cli.home import Home, LocalError

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_interrupted = Event()


def side_by_side[T](home: Home, stacks: Sequence[auto.Stack], what: str, work: Callable[[auto.Stack], T]) -> list[T]:
    """Runs `work`, which may be interrupted, on all stacks in parallel; returns the results.

    Raises LocalError, which names the stacks that failed.
    """
    with _interrupts_go_to_the_engines(home), ThreadPoolExecutor(max(1, len(stacks))) as pool:
        done: list[T] = []
        failed: list[str] = []
        for stack, future in [(stack, pool.submit(work, stack)) for stack in stacks]:
            try:
                done.append(future.result())
            except auto.errors.CommandError:
                failed.append(stack.name)
    if _interrupted.is_set():
        way = ": `make up` continues from here, `make down` removes everything" if home.unfinished() else ""
        raise LocalError(f"{what} was interrupted{way}")
    if failed:
        raise LocalError(f"{what} of stack {' and '.join(failed)} failed: the error is above")
    return done


@contextmanager
def _interrupts_go_to_the_engines(home: Home) -> Generator[None]:
    """Sends interrupts to the engines instead of this process: an engine completes its current steps and saves them."""
    _interrupted.clear()

    def pass_on(number: int, frame: object) -> None:
        _interrupted.set()
        locks.signal_holders(home.engine_lock, signal.SIGINT)

    before = [(number, signal.signal(number, pass_on)) for number in INTERRUPTS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def unless_interrupted(write: Callable[[str], None]) -> Callable[[str], None]:
    """`write`, but silent after an interrupt, when the engine prints the traceback of the interrupted program."""
    return lambda line: None if _interrupted.is_set() else write(line)
