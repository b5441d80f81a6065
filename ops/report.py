"""Prints and counts one line per check."""

import os
import sys
from collections import Counter
from collections.abc import Callable

import httpx

from ops.deployment import Skipped, Wrong, why


class Report:
    def __init__(self) -> None:
        self._counts = Counter(ok=0, WRONG=0, skipped=0)

    def check(self, name: str, verify: Callable[[], str]) -> None:
        """Run one check, which returns what it found."""
        try:
            self.line("ok", name, verify())
        except Skipped as reason:
            self.line("skipped", name, str(reason))
        except Wrong as fault:
            self.line("WRONG", name, str(fault))
        except httpx.RequestError as error:
            self.line("WRONG", name, why(error))
        except (ValueError, LookupError, TypeError, AttributeError) as error:  # from a response of an unexpected form
            self.line("WRONG", name, f"the response cannot be read: {type(error).__name__} {error}")

    def line(self, outcome: str, name: str, text: str) -> None:
        """Print and count one line. Goes on if stdout is closed, because users must be removed."""
        self._counts[outcome] += 1
        try:
            print(f"{outcome:8} {name}: {text}", flush=True)
        except BrokenPipeError:
            # https://docs.python.org/3/library/signal.html#note-on-sigpipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    @property
    def summary(self) -> str:
        return ", ".join(f"{count} {outcome}" for outcome, count in self._counts.items())

    @property
    def all_ok(self) -> bool:
        return not self._counts["WRONG"]
