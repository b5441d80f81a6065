"""A stack's last outputs, from the local clouds or from the Pulumi CLI."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]


class UsageError(Exception):
    """A mistake in the command, or a condition that it needs; the message is one line."""


@dataclass(frozen=True)
class Laptop:
    """The URLs of the laptop's clouds."""

    aws: str
    google: str


@dataclass(frozen=True)
class Stack:
    """`title` says where the outputs are from. `laptop` is None for a stack with an account."""

    title: str
    outputs: Mapping[str, Any]
    laptop: Laptop | None = None

    @classmethod
    def find(cls, name: str, home: Path) -> Self:
        """The stack on the local clouds if they run and have it, else the stack of `pulumi stack output`.

        A name with slashes, such as organization/project/stack, is never on the local clouds. Raises UsageError.
        """
        if "/" not in name and (local := _local(name, home)):
            outputs, laptop = local
            return cls(f"stack {name} of the local clouds", outputs, laptop)
        return cls(f"stack {name} of `pulumi stack output`", _pulumi_outputs(name))

    def output(self, name: str) -> Any:
        """Raises UsageError if the stack never came up."""
        if name not in self.outputs:
            raise UsageError(f"{self.title} has no output '{name}' yet: bring it up first")
        return self.outputs[name]


def _local(name: str, home: Path) -> tuple[Mapping[str, Any], Laptop] | None:
    """The stack's outputs, and where the clouds are; None if the local clouds do not run or lack the stack."""
    from local.cli import clouds, engine  # late, because a URL needs no Pulumi SDK
    from local.cli.home import Home, LocalError

    folder = Home(home.resolve())
    try:
        daemon = clouds.running(folder)
        outputs = engine.outputs(folder).get(name) if daemon else None
    except LocalError as error:
        raise UsageError(str(error)) from None
    return None if daemon is None or outputs is None else (outputs, Laptop(daemon.aws, daemon.google))


def _pulumi_outputs(name: str) -> Mapping[str, Any]:
    """Raises UsageError."""
    pulumi = shutil.which("pulumi")
    if not pulumi:
        raise UsageError(f"stack {name} is not on the local clouds, and `pulumi` is not on PATH: install it")
    answer = subprocess.run(
        [pulumi, "stack", "output", "--json", "--non-interactive", "--stack", name],
        cwd=ROOT,
        env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no output"])[-1].removeprefix("error: ")
        raise UsageError(f"stack {name} is not on the local clouds, and pulumi says: {reason}")
    return json.loads(answer.stdout)
