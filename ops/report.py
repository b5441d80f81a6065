"""Prints and counts the lines of checks."""

from collections import Counter
from collections.abc import Callable

import httpx

from ops.deployment import Skipped, Wrong, why
from ops.terminal import say


class Report:
    """`lines` are the outcomes so far, each with the keys `outcome` (ok, WRONG or skipped), `name` and `text`."""

    def __init__(self) -> None:
        self.lines: list[dict[str, str]] = []

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
        """Print and count one line."""
        self.lines.append({"outcome": outcome, "name": name, "text": text})
        say(f"{outcome:8} {name}: {text}")

    @property
    def summary(self) -> str:
        counts = Counter(line["outcome"] for line in self.lines)
        return ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("ok", "WRONG", "skipped"))

    @property
    def wrong(self) -> list[str]:
        return [f"{line['name']}: {line['text']}" for line in self.lines if line["outcome"] == "WRONG"]
