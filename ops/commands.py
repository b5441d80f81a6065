"""The commands. Each returns its exit code, and its result for `--json`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ops.report import Report, say
from ops.stack import Stack, UsageError
from ops.target import Target

type Result = tuple[int, dict[str, Any]]

WRONG = ("rolled back", "not rolled back", "failed", "overtaken")
CODES = {"promoted": 0, "unchanged": 0, **dict.fromkeys(WRONG, 1), "held": 3}


def check(stack: str | None, url: str | None, home: Path, *, write: bool) -> Result:
    from ops.check import check

    report = check(_target(stack, url, home), write=write)
    say(report.summary)
    return _checked(report)


def _target(stack: str | None, url: str | None, home: Path) -> Target:
    if url and not stack:
        return Target.of_url(url)
    if stack and not url:
        return Target.of_stack(Stack.find(stack, home))
    raise UsageError("name a stack or a URL: make check STACK=aws, or make check URL=https://...")


def verify(name: str, home: Path) -> Result:
    from ops.check import check_newest

    report = check_newest(Stack.find(name, home))
    say(report.summary)
    return _checked(report)


def _checked(report: Report) -> Result:
    return int(bool(report.wrong)), {"summary": report.summary, "checks": report.lines}


def promote(source: str, target: str, home: Path) -> Result:
    from ops.promotion import promote

    result = promote(origin := Stack.find(source, home), Stack.beside(origin, target))
    say(f"{result['outcome']}: {result['reason']}")
    return CODES[result["outcome"]], result


def rollback(name: str, home: Path, *, to: str | None) -> Result:
    from ops.engine import UpFailed
    from ops.promotion import rollback

    try:
        result = rollback(Stack.find(name, home), to)
    except UpFailed as error:
        say(f"not rolled back: {error}")
        return 1, {"outcome": "not rolled back", "reason": str(error)}
    say(f"{result['outcome']}: {result['reason']}")
    return 0, result


def status(names: Sequence[str], home: Path, *, mend: bool) -> Result:
    from ops.status import describe

    found: list[dict[str, Any]] = []
    for stack in (Stack.find(name, home) for name in names):
        about = describe(stack)
        if mend and about["state"] == "overdue":
            rollback(stack.name, home, to=None)
            about = describe(Stack.find(stack.name, home))
        found.append(about)
        say("  ".join(f"{key} {value}" for key, value in about.items()))
    return int(any(about["state"] == "overdue" for about in found)), {"stacks": found}


def prune(name: str, home: Path) -> Result:
    from ops.prune import prune

    stack = Stack.find(name, home)
    if stack.output("cloud") != "aws":
        say(f"{stack.title}: nothing to delete, since Google Cloud bills no old revisions")
        return 0, {"lines": []}
    say(f"{stack.title}: {stack.output('service')}")
    lines: list[str] = []
    for line in prune(stack):
        say(line)
        lines.append(line)
    if not lines:
        say("nothing to delete")
    return 0, {"lines": lines}
