"""Raw numbers as JSON that can be compared line by line."""

import json
from typing import Any


def dump(value: Any, depth: int) -> str:
    """Each item of `depth` levels begins a line."""
    if not depth or not isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, dict):
        items = [f"{json.dumps(name)}: {dump(one, depth - 1)}" for name, one in value.items()]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return "{\n" + ",\n".join(items) + "\n}"
    return "[\n" + ",\n".join(dump(one, depth - 1) for one in value) + "\n]"  # pyright: ignore[reportUnknownVariableType]
