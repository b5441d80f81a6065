"""How long a developer waits: `make wait`, on an idle machine. Prints the table of docs/performance.md.

A copy of this checkout brings both stacks up on clouds of its own, so that the developer's clouds and artifacts stay as
they are. CPU is that of the commands and of what they start, without the clouds' daemon.
"""

import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rehearsal.builds import copy_installed

ROUNDS = 3
EDITED = "app/users.py"
# What `make` gives to this is not for the `make` that it runs.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}


class Step(NamedTuple):
    """The goal is in seconds."""

    what: str
    goal: int
    work: Callable[[], None]


class Wait(NamedTuple):
    """In seconds."""

    wall: float
    cpu: float


def main() -> None:
    waits: dict[tuple[str, int], list[Wait]] = {}
    with tempfile.TemporaryDirectory(prefix="better-together-", ignore_cleanup_errors=True) as folder:
        checkout = Path(folder)
        copy_installed(checkout)
        try:
            make(checkout, "up")  # builds the artifact
            for number in range(ROUNDS):
                make(checkout, "down")
                for what, goal, work in steps(checkout, number):
                    print(what, "...", file=sys.stderr)
                    waits.setdefault((what, goal), []).append(timed(work))
        finally:
            make(checkout, "down")
    print_table(waits)


def steps(checkout: Path, number: int) -> list[Step]:
    """What a developer does, in this order, after `make down`."""

    def save() -> None:
        with (checkout / EDITED).open("a") as source:
            source.write(f"# {number}\n")
        make(checkout, "up")

    return [
        Step("`make up`, the clouds not running", 8, lambda: make(checkout, "up")),
        Step("`make up`, nothing changed", 4, lambda: make(checkout, "up")),
        Step("`make preview STACK=aws`", 3, lambda: make(checkout, "preview", "STACK=aws")),
        Step("from a save in `app/` to both clouds: `make up`", 5, save),
    ]


def make(checkout: Path, *arguments: str) -> None:
    done = subprocess.run(["make", *arguments], cwd=checkout, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"make {' '.join(arguments)} failed: {done.stderr}")


def timed(work: Callable[[], None]) -> Wait:
    started, before = time.monotonic(), _cpu()
    work()
    return Wait(time.monotonic() - started, _cpu() - before)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def print_table(waits: dict[tuple[str, int], list[Wait]]) -> None:
    print("| | fastest, s | median, s | CPU, s | goal, s |\n|---|--:|--:|--:|--:|")
    for (what, goal), measured in waits.items():
        wall, cpu = zip(*measured, strict=True)
        print(f"| {what} | {min(wall):.1f} | {statistics.median(wall):.1f} | {min(cpu):.1f} | {goal} |")


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
