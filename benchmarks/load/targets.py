"""Where the load goes: stacks, which have logs to read, or a URL."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from ops import target
from ops.stack import Laptop, Stack, UsageError

LOCAL_STACKS = ("aws", "gcp")


@dataclass(frozen=True)
class Target:
    name: str
    url: str
    stack: Stack | None = None


def find(stacks: Sequence[str], url: str | None, home: Path) -> list[Target]:
    """The URL, the stacks, or by default both on the local clouds. Raises UsageError."""
    if url is not None:
        if stacks:
            raise UsageError("give either URL or STACK")
        url = target.Target.of_url(url).url
        return [Target(httpx.URL(url).host, url)]
    if stacks:
        return [
            Target(name, found.output("url"), found)
            for name in dict.fromkeys(stacks)
            for found in [Stack.find(name, home)]
        ]
    up = {stack.name: stack for stack in Stack.on_local_clouds(home) or []}
    if missing := [name for name in LOCAL_STACKS if name not in up]:
        raise UsageError(f"{' and '.join(missing)} not up on the local clouds: `make up` brings both stacks up")
    return [Target(name, up[name].output("url"), up[name]) for name in LOCAL_STACKS]


def laptop_of(targets: Sequence[Target]) -> Laptop | None:
    """Where all of them are; None if one is elsewhere."""
    laptops = {target.stack.laptop if target.stack else None for target in targets}
    return laptops.pop() if len(laptops) == 1 else None
