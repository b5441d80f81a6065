"""What sealed plans would change, as Markdown for a pull request."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.sealed_plan import SHOWN, SealedPlan, shown
from ops.stack import UsageError, one_line
from ops.urn import resource

LIMIT = 65_000
"""Characters; GitHub takes 65,536 in a comment: https://github.com/dead-claudia/github-limits#pr-body"""
MARK = "<!-- plans of better-together -->"
"""The first line, by which a workflow finds the comment again."""
LOSING = ("replace", "delete")
KEEPING = ("create", "update")
ORDER = LOSING + KEEPING
ICONS = {"replace": "♻️", "delete": "🗑️", "create": "🟢", "update": "🟡"}


def summary(plan: SealedPlan) -> str:
    """Such as `1 to replace, 2 to update`."""
    counts = Counter(change for change, _ in _changes(plan))
    return ", ".join(f"{counts[change]} to {change}" for change in ORDER if counts[change]) or "no changes"


def comment(plans: Sequence[SealedPlan], digest: str, commit: str | None = None) -> str:
    """A table of all stacks, what is replaced or deleted on any of them, then each stack's other changes.

    `digest` is the SHA-256 of the plan file, and `commit` the commit that the plans were made from. The text has at
    most LIMIT characters. Raises UsageError if a plan is not as the engine makes it.
    """
    try:
        return _comment(plans, f"Plan file: `{digest}`" + (f", of commit `{commit}`" if commit else ""))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UsageError(f"a plan cannot be read: {type(error).__name__}: {one_line(error)}") from None


def no_plan(commit: str, reason: str) -> str:
    """What takes the place of an older commit's plan."""
    return f"{MARK}\nThere is no plan of commit `{commit}`: `{_code(reason[:SHOWN])}`"


def _comment(plans: Sequence[SealedPlan], source: str) -> str:
    table = ["| stack | replace | delete | create | update | artifact |", "|---|---|---|---|---|---|"]
    for plan in plans:
        counts = Counter(change for change, _ in _changes(plan))
        numbers = " | ".join(f"**{counts[change]}**" if counts[change] else "0" for change in ORDER)
        table.append(f"| `{_code(plan.stack)}` | {numbers} | `{_code(plan.plan.artifact[:19])}…` |")
    lines = [MARK, *table, "", source, ""]
    if lost := [line for plan in plans for line in _lines(plan, LOSING, f"{plan.stack}: ")]:
        lines += ["### Replaced or deleted", "", *lost, ""]
    for plan in plans:
        lines += _stack(plan)
    return _cut(lines)


def _stack(plan: SealedPlan) -> Iterator[str]:
    yield f"### `{_code(plan.stack)}`"
    yield ""
    kept = [*_lines(plan, KEEPING)]
    yield from kept or ["No other changes." if [*_changes(plan)] else "No changes."]
    for finding in plan.plan.findings:
        yield f"- ⚠️ `{_code(finding)}`"
    yield ""


def _lines(plan: SealedPlan, wanted: Sequence[str], prefix: str = "") -> Iterator[str]:
    """These changes in this order, with the properties that change."""
    changes = [(change, urn) for change, urn in _changes(plan) if change in wanted]
    for change, urn in sorted(changes, key=lambda found: wanted.index(found[0])):
        yield f"- {ICONS[change]} {change} **`{_code(prefix + resource(urn))}`**"
        yield from _properties(plan.plan.steps["resourcePlans"][urn])


def _changes(plan: SealedPlan) -> Iterator[tuple[str, str]]:
    """What happens to each resource of a cloud that does not stay the same, and its URN."""
    for urn, planned in sorted(plan.plan.steps["resourcePlans"].items()):
        if resource(urn).startswith("pulumi:"):
            continue
        steps = planned.get("steps", ())
        change = next((word for word in ORDER if any(word in step for step in steps)), None)
        if change:
            yield change, urn


def _properties(planned: Mapping[str, Any]) -> Iterator[str]:
    """Those that change, one a line. A resource that is created has too many to read."""
    if planned["steps"] == ["create"]:
        return
    goal: dict[str, dict[str, Any]] = planned.get("goal") or {}
    difference = goal.get("inputDiff", {})
    for sign, group in (("+", "adds"), ("~", "updates")):
        values: dict[str, Any] = difference.get(group, {})
        for name, value in sorted(values.items()):
            yield f"  - `{_code(f'{sign} {name}: {shown(value)}')}`"
    deleted: list[str] = difference.get("deletes", [])
    for name in sorted(deleted):
        yield f"  - `{_code(f'- {name}')}`"


def _code(text: str) -> str:
    """The text for a code span, which nothing in it may end, since a plan may come from anybody."""
    encodable = text.encode(errors="replace").decode()
    return re.sub(r"\s+", " ", encodable.replace("`", "'").replace("|", "¦"))


def _cut(lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    if len(text) <= LIMIT:
        return text
    more = "\n\n… cut: the plan file has the rest."
    kept = text[: LIMIT - len(more)]
    return kept[: kept.rindex("\n")] + more
