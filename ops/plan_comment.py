"""What sealed plans would change, as Markdown for a pull request."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.sealed_plan import SealedPlan, masked
from ops.stack import UsageError
from ops.urn import resource

LIMIT = 65_000
"""Characters; GitHub takes 65,536 in a comment: https://github.com/dead-claudia/github-limits#pr-body"""
UNKNOWN = re.compile("04da6b54-80e4-46f7-96ec-b56ff0331ba9")  # sdk/go/common/resource/plugin/rpc.go
MARK = "<!-- plans of better-together -->"
"""The first line, by which a workflow finds the comment again."""
ORDER = ("replace", "delete", "create", "update")
ICONS = {"replace": "♻️", "delete": "🗑️", "create": "🟢", "update": "🟡"}


def summary(plan: SealedPlan) -> str:
    """Such as `1 to replace, 2 to update`."""
    counts = Counter(change for change, _ in _changes(plan))
    return ", ".join(f"{counts[change]} to {change}" for change in ORDER if counts[change]) or "no changes"


def comment(plans: Sequence[SealedPlan], digest: str) -> str:
    """A table of all stacks, then each stack's changes, replacements and deletions first.

    `digest` is the SHA-256 of the file of the plans. The text has at most LIMIT characters. Raises UsageError if a plan
    is not as the engine makes it.
    """
    try:
        return _comment(plans, digest)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UsageError(f"a plan cannot be read: {type(error).__name__}: {' '.join(str(error).split())}") from None


def _comment(plans: Sequence[SealedPlan], digest: str) -> str:
    table = ["| stack | replace | delete | create | update | artifact |", "|---|---|---|---|---|---|"]
    for plan in plans:
        counts = Counter(change for change, _ in _changes(plan))
        numbers = " | ".join(f"**{counts[change]}**" if counts[change] else "0" for change in ORDER)
        table.append(f"| `{_code(plan.stack)}` | {numbers} | `{_code(plan.plan.artifact[:19])}…` |")
    lines = [MARK, *table, "", f"Plan file: `{digest}`", ""]
    for plan in plans:
        lines += _stack(plan)
    return _cut(lines)


def _stack(plan: SealedPlan) -> Iterator[str]:
    changes = sorted(_changes(plan), key=lambda change: ORDER.index(change[0]))
    yield f"### `{_code(plan.stack)}`"
    yield ""
    if not changes:
        yield "No changes."
    for change, urn in changes:
        yield f"- {ICONS[change]} {change} **`{_code(resource(urn))}`**"
        yield from _properties(plan.plan.steps["resourcePlans"][urn])
    for finding in plan.plan.findings:
        yield f"- ⚠️ `{_code(finding)}`"
    yield ""


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
            yield f"  - `{_code(f'{sign} {name}: {_shown(value)}')}`"
    deleted: list[str] = difference.get("deletes", [])
    for name in sorted(deleted):
        yield f"  - `{_code(f'- {name}')}`"


def _shown(value: Any) -> str:
    text = UNKNOWN.sub("(known afterwards)", json.dumps(masked(value), sort_keys=True))
    return text if len(text) <= 300 else f"{text[:300]}…"


def _code(text: str) -> str:
    """The text for a code span, which nothing in it may end, since a plan may come from anybody."""
    return re.sub(r"\s+", " ", text.replace("`", "'").replace("|", "¦"))


def _cut(lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    if len(text) <= LIMIT:
        return text
    more = "\n\n… cut: the plan file has the rest."
    kept = text[: LIMIT - len(more)]
    return kept[: kept.rindex("\n")] + more
