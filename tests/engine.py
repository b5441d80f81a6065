"""Stacks of the real engine that have their state in a folder.

The engine is started only for what a test is about, since a start takes a fifth of a second.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto

from local.cli import vault
from local.cli.state import create
from local.cli.workspace import LaptopStack

type Program = Callable[[], None]


class QuickWorkspace(auto.LocalWorkspace):
    """Its stacks exist, so the engine is not asked for them."""

    def select_stack(self, stack_name: str) -> None:
        pass


class QuickStack(LaptopStack):
    """Its updates return no outputs."""

    def outputs(self) -> auto.OutputMap:
        return {}


def new_stack(workspace: QuickWorkspace, state: Path, name: str, config: Mapping[str, Any]) -> auto.Stack:
    """Write what `pulumi stack init` would; the config has its secrets encrypted, with the laptop's key."""
    create(state, workspace.project_settings().name, name)
    settings = {"config": dict(config), **vault.SETTINGS}
    Path(workspace.work_dir, f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(settings))
    return QuickStack.select(name, workspace)


def deployment(state: Path) -> dict[str, Any]:
    """What the engine knows of the only stack in the folder; its secrets are encrypted."""
    [path] = state.glob(".pulumi/stacks/*/*.json")
    return json.loads(path.read_text())["checkpoint"]["latest"]


def root(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """The stack itself among its resources. A provider that the program calls may come before it."""
    [stack] = [one for one in deployment["resources"] if one["type"] == "pulumi:pulumi:Stack"]
    return stack


def outputs(state: Path) -> dict[str, Any]:
    """Of the only stack in the folder."""
    return root(deployment(state))["outputs"]


def changes(run: Callable[..., object], **options: Any) -> dict[str, int]:
    """Run a method of a stack. Returns how many resources it changed, and left the same, by operation."""
    events: list[auto.EngineEvent] = []
    run(on_event=events.append, **options)
    [summary] = [event.summary_event for event in events if event.summary_event]
    return {str(operation): count for operation, count in summary.resource_changes.items()}
