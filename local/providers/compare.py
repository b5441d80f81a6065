"""Compares old inputs with new ones, and the state with the cloud."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.runtime import proto
from pulumi.runtime.proto import PropertyDiff

from local.providers.values import Props, is_list, is_object

ABSENT = object()
INDEX = re.compile(r"\[\d+\]")
REPLACING: Mapping[PropertyDiff.Kind.ValueType, PropertyDiff.Kind.ValueType] = {
    PropertyDiff.ADD: PropertyDiff.ADD_REPLACE,
    PropertyDiff.DELETE: PropertyDiff.DELETE_REPLACE,
    PropertyDiff.UPDATE: PropertyDiff.UPDATE_REPLACE,
}
EMPTY: tuple[Any, ...] = (None, "", False, [], {})


def same(old: Any, new: Any) -> bool:
    """Equality that ignores the formatting of JSON texts, as the real providers compare policies."""
    return old == new or (isinstance(old, str) and isinstance(new, str) and _json(old) == _json(new) != ABSENT)


def changes(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, PropertyDiff.Kind.ValueType]]:
    """Yields (property path, PropertyDiff.ADD | DELETE | UPDATE) of the innermost values that differ."""
    if is_object(old) and is_object(new):
        for key in sorted({*old, *new}):
            yield from changes(old.get(key, ABSENT), new.get(key, ABSENT), f"{path}.{key}" if path else key)
    elif is_list(old) and is_list(new):
        for index in range(max(len(old), len(new))):
            before, after = (items[index] if index < len(items) else ABSENT for items in (old, new))
            yield from changes(before, after, f"{path}[{index}]")
    elif old is ABSENT:
        yield path, PropertyDiff.ADD
    elif new is ABSENT:
        yield path, PropertyDiff.DELETE
    elif not same(old, new):
        yield path, PropertyDiff.UPDATE


def observed(inputs: Props, live: Mapping[str, Any], ordinary: Mapping[str, Any], settable: Mapping[str, Any]) -> Props:
    """The inputs that describe `live`, unchanged where they still match, so that only drift differs.

    The cloud does not return the properties that `live` lacks. A settable property that the program left out is added
    only if it is neither empty nor equal to `ordinary`, the cloud's defaults and the last known outputs.
    """
    result = dict(inputs)
    for name, value in live.items():
        unset = value in EMPTY or value == ordinary.get(name, ABSENT)
        if name in inputs:
            old = inputs[name]
            if value is None and old not in EMPTY:
                del result[name]
            elif not (unset and old in EMPTY):
                result[name] = _within(old, value)
        elif name in settable and not unset:
            result[name] = value
    return result


def unhonoured(honours: frozenset[str] | None, inputs: Props) -> Iterator[str]:
    """The paths of the inputs that the resource type does not honour."""
    if honours is not None:
        for name, value in inputs.items():
            yield from _unhonoured(honours, value, name, name)


def _unhonoured(honours: frozenset[str], value: Any, path: str, plain: str) -> Iterator[str]:
    """`plain` is the path without indexes."""
    if plain in honours:
        return
    if not any(honoured.startswith(f"{plain}.") for honoured in honours):
        yield path
    elif is_list(value):
        for index, item in enumerate(value):
            yield from _unhonoured(honours, item, f"{path}[{index}]", plain)
    elif is_object(value):
        for name, item in value.items():
            yield from _unhonoured(honours, item, f"{path}.{name}", f"{plain}.{name}")


def _within(old: Any, live: Any) -> Any:
    """`live` without nested properties that `old` left out: these are the cloud's defaults, not drift."""
    if same(old, live):
        return old
    if is_object(old) and is_object(live) and set(old) <= set(live):
        return {key: _within(value, live[key]) for key, value in old.items()}
    if is_list(old) and is_list(live) and len(old) == len(live):
        return [_within(*pair) for pair in zip(old, live, strict=True)]
    return live


def _json(text: str) -> Any:
    if not text.startswith(("{", "[")):
        return ABSENT
    try:
        return json.loads(text)
    except ValueError:
        return ABSENT


def diff_response(
    found: list[tuple[str, PropertyDiff.Kind.ValueType]],
    forcing: frozenset[str] = frozenset(),
    in_place: frozenset[str] = frozenset(),
) -> proto.DiffResponse:
    """The engine's answer for changes; `forcing` and `in_place` are `Resource.replaces` and `Resource.in_place`."""
    replacing = {path for path, _ in found if _forces(INDEX.sub("", path), forcing, in_place)}
    return proto.DiffResponse(
        changes=proto.DiffResponse.DIFF_SOME if found else proto.DiffResponse.DIFF_NONE,
        diffs=sorted({root(path) for path, _ in found}),
        replaces=sorted({root(path) for path in replacing}),
        detailedDiff={
            path: PropertyDiff(kind=REPLACING[kind] if path in replacing else kind, inputDiff=True)
            for path, kind in found
        },
        hasDetailedDiff=True,
    )


def _forces(path: str, forcing: frozenset[str], in_place: frozenset[str]) -> bool:
    if any(_at(path, free) for free in in_place):
        return False
    return any(_at(path, forced) or _at(forced, path) for forced in forcing)


def _at(path: str, other: str) -> bool:
    """Whether the paths are equal, or `path` is below `other`."""
    return f"{path}.".startswith(f"{other}.")


def root(path: str) -> str:
    """The property that a path begins with."""
    return path.split(".")[0].split("[")[0]
