"""How AWS judges a request by policies, as far as these policies go.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

NOTHING: Mapping[str, str] = {}


def allows(
    policies: Iterable[Mapping[str, Any]], action: str, resource: str, context: Mapping[str, str] = NOTHING
) -> bool:
    """Whether a statement allows the action, and none denies it. `context` are the values of condition keys."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in policy["Statement"]
        if matches(statement["Action"], action.lower(), lower=True)
        and matches(statement.get("Resource", "*"), resource)
        and holds(statement.get("Condition", {}), context)
    }
    return effects == {"Allow"}


def holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """Every key must be there and have one of the values."""
    for operator, keys in condition.items():
        assert operator in ("StringEquals", "Bool"), f"{operator} is not implemented"
        if any(context.get(key) not in _list(values) for key, values in keys.items()):
            return False
    return True


def matches(patterns: str | list[str], value: str, lower: bool = False) -> bool:
    return any(_pattern(one.lower() if lower else one).fullmatch(value) for one in _list(patterns))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))))


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
