"""Destroys the stacks whose time to live is over, and no others."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from ops import engine
from ops.stack import Stack, UsageError, cli, is_in_backend, pulumi
from ops.terminal import say

PAUSE = 2.0  # seconds before it looks at locked stacks again
TAG = "%Y-%m-%dt%H-%M-%Sz"  # the time as a label of Google Cloud


class Stacks(Protocol):
    """Where stacks are. All methods raise UsageError."""

    def names(self) -> list[str]: ...

    def has(self, name: str) -> bool: ...

    def refusal(self, name: str) -> str:
        """Why the stack is to stay; empty if its time is over."""
        ...

    def destroy(self, name: str) -> None:
        """Raises engine.UpFailed as well."""
        ...


def reap(stacks: Stacks, *, dry_run: bool) -> list[dict[str, str]]:
    """Destroy what has expired. Returns what became of each stack: its name, `outcome` and `reason`.

    Outcomes are kept, expired (with `dry_run`), destroyed, gone (by somebody else's hand meanwhile) and failed. A stack
    that an update has locked is looked at again, for up to ten minutes, since that update may set its time anew.
    """
    found: list[dict[str, str]] = []
    waiting = stacks.names()
    deadline = time.monotonic() + engine.LOCKED_FOR
    while waiting:
        again: list[str] = []
        for name in waiting:
            outcome, reason = _reap(stacks, name, dry_run=dry_run)
            if engine.LOCKED.search(reason) and time.monotonic() < deadline:
                again.append(name)
            else:
                found.append({"stack": name, "outcome": outcome, "reason": reason})
                say(f"{name}  {outcome}: {reason}")
        if waiting := again:
            time.sleep(PAUSE)
    return found


def _reap(stacks: Stacks, name: str, *, dry_run: bool) -> tuple[str, str]:
    """The outcome for one stack, and its reason."""
    try:
        if refusal := stacks.refusal(name):
            return "kept", refusal
        if dry_run:
            return "expired", "would be destroyed"
        stacks.destroy(name)
        return "destroyed", "its time was over"
    except (UsageError, engine.UpFailed) as error:
        reason = str(error)
    except ValueError as error:
        return "failed", f"its time cannot be read: {error}"
    try:
        is_there = stacks.has(name)
    except UsageError as error:
        return "failed", str(error)
    return ("failed", reason) if is_there else ("gone", "destroyed by another command meanwhile")


@dataclass(frozen=True)
class OfBackend:
    """The project's stacks in the backend. None of them needs a file in this checkout."""

    def names(self) -> list[str]:
        """`pulumi stack ls` reads the state of each stack, and no command lists the names alone."""
        try:
            return [stack["name"] for stack in json.loads(pulumi("stack", "ls", "--json"))]
        except UsageError as error:
            needs = "it needs the right to read the state of every stack of the project"
            raise UsageError(f"`pulumi stack ls` failed, and {needs}: {error}") from None

    def has(self, name: str) -> bool:
        return is_in_backend(name)

    def refusal(self, name: str) -> str:
        resources: list[dict[str, Any]] = Stack(name, {}).state().get("resources") or []
        if not resources:
            return "it is empty"
        if any(resource.get("protect") for resource in resources):
            return "it is protected"
        return _refusal([*_times(resources)])

    def destroy(self, name: str) -> None:
        """The state has the providers' settings, with their keys, and names the provider that decrypts them."""
        with engine.temporary() as folder:
            (file := folder / "stack.yaml").touch()
            options = ["--yes", "--non-interactive", "--skip-preview", "--stack", name, "--config-file", str(file)]
            engine.run([cli(), "destroy", "--remove", *options])


@dataclass(frozen=True)
class OfLaptop:
    """The stacks on the local clouds."""

    home: Path

    def names(self) -> list[str]:
        return [stack.name for stack in Stack.on_local_clouds(self.home) or []]

    def has(self, name: str) -> bool:
        return name in self.names()

    def refusal(self, name: str) -> str:
        for stack in Stack.on_local_clouds(self.home) or []:
            if stack.name == name:
                return _refusal([expires] if (expires := stack.outputs.get("expires")) else [])
        raise UsageError(f"there is no stack {name}")

    def destroy(self, name: str) -> None:
        engine.run([*engine.local(self.home), "destroy", "--wait", name])


def _times(resources: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The output `expires`, and the tags, which a stack that never came up completely has as well."""
    for resource in resources:
        properties: dict[str, Any] = resource.get("inputs", {})
        if resource["type"] == "pulumi:pulumi:Stack" and (expires := resource.get("outputs", {}).get("expires")):
            yield expires
        for tags in (properties.get(name) for name in ("tags", "labels", "userLabels")):
            if tags and "expires" in tags:
                yield datetime.strptime(tags["expires"], TAG).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refusal(times: Sequence[str]) -> str:
    """Why a stack with these times is to stay; the last one counts, since an update may have been cut off."""
    if not times:
        return "it has no time to live"
    expires = datetime.fromisoformat(max(times))
    return f"it expires {max(times)}" if expires > datetime.now(UTC) else ""
