"""The engine's project folder in the home of the laptop's clouds."""

import copy
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Self

import yaml
from pulumi import automation as auto
from pulumi.automation._stack import StackInitMode  # pyright: ignore[reportPrivateUsage] - it has no other name

from local.cli import state, vault
from local.cli.home import ROOT, Home
from local.cli.tools import pulumi
from local.providers import server


class LaptopWorkspace(auto.LocalWorkspace):
    """Asks its files what the SDK would ask the engine, each start of which takes a fifth of a second."""

    def __init__(self, home: Home, program: Callable[[], None]) -> None:
        for folder in (home.workspace, home.pulumi_home, home.state):
            folder.mkdir(parents=True, exist_ok=True)
        for name in ("Pulumi.yaml", "pulumi_momento"):
            link = home.workspace / name
            if not link.is_symlink() or link.readlink() != ROOT / name:  # another checkout may have worked in this home
                link.unlink(missing_ok=True)
                link.symlink_to(ROOT / name)
        super().__init__(
            work_dir=str(home.workspace),
            pulumi_home=str(home.pulumi_home),
            pulumi_command=_command(),
            program=program,
            env_vars={
                "BETTER_TOGETHER_HOME": str(home.path),
                "PULUMI_COMMAND": pulumi().command,
                "PULUMI_BACKEND_URL": state.url(home.state),
                "PULUMI_CONFIG_PASSPHRASE": "laptop",  # of a state that an earlier version of this project left
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                **vault.variables(),
                **server.variables(home.path),
            },
        )
        self.home = home

    def select_stack(self, stack_name: str) -> None:
        """Does nothing: every command names its stack, so that none has to be the current one."""

    def stack_outputs(self, stack_name: str) -> auto.OutputMap:
        outputs = state.outputs(self.home)[stack_name]
        return {name: auto.OutputValue(value, secret=False) for name, value in outputs.items()}

    def config(self, name: str) -> dict[str, Any]:
        """The stack's config, whose secrets are `{"secure": ...}`."""
        return yaml.safe_load(self._file(name).read_text())["config"]

    def write(self, name: str, config: Mapping[str, Any]) -> None:
        settings = {"config": dict(config), **vault.SETTINGS}
        self._file(name).write_text(yaml.safe_dump(settings))

    def _file(self, name: str) -> Path:
        return self.home.workspace / f"Pulumi.{name}.yaml"


class LaptopStack(auto.Stack):
    """The SDK would ask the engine for a summary of each update, which nothing here reads."""

    @classmethod
    def select(cls, stack_name: str, workspace: auto.Workspace) -> Self:
        return cls(stack_name, workspace, StackInitMode.SELECT)

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary:
        return auto.UpdateSummary("not read", datetime.now(UTC), "", {}, {}, "not read")


@cache
def _command() -> auto.PulumiCommand:
    command = copy.copy(pulumi())
    command.command = str(Path(__file__).with_name("engine.sh"))
    return command
