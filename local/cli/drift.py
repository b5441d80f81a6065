"""Compares the clouds with a stack's state."""

import json
from collections.abc import Iterator
from typing import Any

from pulumi import automation as auto
from pulumi.automation.events import EngineEvent, StepEventMetadata

from local.providers.values import is_list, is_object
from ops.terminal import say_aside
from ops.urn import resource

SECRET, ANOTHER_SECRET = "[secret]", "another [secret]"


def find_drift(stack: auto.Stack) -> list[str]:
    """A line for each property that differs and each resource that is gone. Does not change the state.

    Raises auto.errors.CommandError after printing the engine's errors to stderr.
    """
    moved: list[str] = []

    def note(event: EngineEvent) -> None:
        if (outcome := event.res_outputs_event) and outcome.metadata.op in ("update", "delete"):
            moved.extend(_lines(outcome.metadata))
        if (diagnostic := event.diagnostic_event) and diagnostic.severity == "error":
            say_aside(diagnostic.message.strip())

    stack.preview_refresh(color="never", on_event=note)
    return sorted(moved)


def _lines(step: StepEventMetadata) -> Iterator[str]:
    what = resource(step.urn)
    if not step.old or not step.new:
        yield f"{what}: in the stack, gone from the cloud"
        return
    old, new = (_readable({**(state.outputs or {}), **(state.inputs or {})}) for state in (step.old, step.new))
    for name in step.diffs or []:
        found = list(_differences(name, old.get(name), new.get(name))) or [(name, SECRET, ANOTHER_SECRET)]
        for path, ours, theirs in found:
            yield f"{what}: {path} is {_shown(ours)} in the stack, {_shown(theirs)} in the cloud"


def _readable(value: Any) -> Any:
    """The value with encrypted parts replaced by SECRET, and with JSON texts parsed."""
    if isinstance(value, str) and value.startswith(("{", "[")) and value != SECRET:
        try:
            return _readable(json.loads(value))
        except ValueError:
            return value
    if is_object(value):
        return SECRET if "ciphertext" in value else {key: _readable(item) for key, item in value.items()}
    return [_readable(item) for item in value] if is_list(value) else value


def _differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """The innermost values that differ, with the path to each."""
    if is_object(old) and is_object(new):
        for key in sorted({*old, *new}):
            yield from _differences(f"{path}.{key}", old.get(key), new.get(key))
    elif is_list(old) and is_list(new) and len(old) == len(new):
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from _differences(f"{path}[{index}]", *pair)
    elif old != new:
        yield path, old, new


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if value in (SECRET, ANOTHER_SECRET) else json.dumps(value, sort_keys=True)
