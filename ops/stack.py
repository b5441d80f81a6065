"""A stack's last outputs, from the local clouds or from the Pulumi CLI."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self, cast

import yaml

ROOT = Path(__file__).resolve().parents[1]
DOWNLOADS = "https://www.pulumi.com/docs/iac/download-install/"
STACK_NOT_FOUND = 6
"""The CLI's exit code: https://github.com/pulumi/pulumi/blob/v3.274.1/pkg/cmd/pulumi/cmd/exit_codes.go"""


class UsageError(Exception):
    """A mistake in the command, or a condition that it needs; the message is one line."""


class NoStack(UsageError):
    """The backend has no such stack."""


def one_line(text: object) -> str:
    """The text, or an error's message, without line breaks."""
    return " ".join(str(text).split())


@cache
def project() -> str:
    """The project's name. Raises UsageError."""
    try:
        return yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["name"]
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError) as error:
        raise UsageError(f"Pulumi.yaml cannot be read: {one_line(error)}") from None


def project_key(name: str) -> str:
    """A key of the project, as stack files have it. Raises UsageError."""
    return f"{project()}:{name}"


@dataclass(frozen=True)
class Laptop:
    """The folder of the laptop's clouds, and their URLs."""

    home: Path
    aws: str
    google: str


@dataclass(frozen=True)
class Stack:
    """`laptop` is None for a stack with an account. `outputs` are empty if it never came up."""

    name: str
    outputs: Mapping[str, Any]
    laptop: Laptop | None = None

    @classmethod
    def find(cls, name: str, home: Path) -> Self:
        """The stack on the local clouds if they run and have it, else the stack of `pulumi stack output`.

        A name with slashes, such as organization/project/stack, is never on the local clouds. Raises UsageError.
        """
        if "/" not in name and (local := _local(home)):
            outputs, laptop = local
            if name in outputs:
                return cls(name, outputs[name], laptop)
        return cls(name, _pulumi_outputs(name, on_laptop=home.exists()))

    @classmethod
    def on_local_clouds(cls, home: Path) -> list[Self] | None:
        """All stacks on the local clouds; None if they do not run. Raises UsageError."""
        if not (local := _local(home)):
            return None
        outputs, laptop = local
        return [cls(name, of_stack, laptop) for name, of_stack in outputs.items()]

    def beside(self, name: str) -> Self:
        """The stack of that name where this one is; it may never have come up. Raises UsageError."""
        if not self.laptop:
            return type(self)(name, _pulumi_outputs(name))
        if not (local := _local(self.laptop.home)):
            raise UsageError("the local clouds have stopped")
        outputs, laptop = local
        return type(self)(name, outputs.get(name, {}), laptop)

    @property
    def title(self) -> str:
        """The name, and where the outputs are from."""
        return f"stack {self.name} of {'the local clouds' if self.laptop else '`pulumi stack output`'}"

    @classmethod
    def to_plan(cls, name: str, home: Path) -> Self:
        """The stack, which may never have come up: on the local clouds if they run. Raises UsageError."""
        if "/" not in name and (local := _local(home)):
            outputs, laptop = local
            return cls(name, outputs.get(name, {}), laptop)
        return cls(name, _pulumi_outputs(name))

    def state(self) -> Mapping[str, Any]:
        """The engine's state, in which secrets are encrypted; empty if the stack never came up. Raises UsageError.

        https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#DeploymentV3
        """
        if self.laptop:
            from local.cli import state  # late, because a URL needs no clouds
            from local.cli.home import Home, LocalError

            try:
                return state.deployments(Home(self.laptop.home)).get(self.name, {})
            except LocalError as error:
                raise UsageError(str(error)) from None
        return _json(self.name, "export").get("deployment") or {}

    def file(self) -> dict[str, Any]:
        """The content of the stack's file in this checkout, which has a mapping `config`. Raises UsageError."""
        path = ROOT / f"Pulumi.{self.name.rpartition('/')[2]}.yaml"
        try:
            content: Any = yaml.safe_load(path.read_text()) or {}
            return content | {"config": dict(content.get("config") or {})}
        except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
            raise UsageError(f"{path.name} cannot be read: {one_line(error)}") from None

    def output(self, name: str) -> Any:
        """Raises UsageError if the stack never came up."""
        if name not in self.outputs:
            raise UsageError(f"{self.title} has no output '{name}' yet: bring it up first")
        return self.outputs[name]


def _local(home: Path) -> tuple[Mapping[str, Mapping[str, Any]], Laptop] | None:
    """The outputs of all stacks on the local clouds, by name, and where these are; None if they do not run."""
    from local.cli import clouds, state  # late, because a URL needs no clouds
    from local.cli.home import Home, LocalError

    folder = Home(home.resolve())
    try:
        daemon = clouds.running(folder)
        return (state.outputs(folder), Laptop(folder.path, daemon.aws, daemon.google)) if daemon else None
    except LocalError as error:
        raise UsageError(str(error)) from None


def _pulumi_outputs(name: str, *, on_laptop: bool = False) -> Mapping[str, Any]:
    """Raises UsageError."""
    try:
        return _json(name, "output", "--json")
    except UsageError as error:
        subject = f"stack {name} is not on the local clouds, and" if on_laptop else f"stack {name}:"
        raise UsageError(f"{subject} {error}") from None


def _json(name: str, *question: str) -> Mapping[str, Any]:
    """The answer of `pulumi stack`, an object. Raises UsageError."""
    answer = pulumi("stack", *question, "--stack", name)
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"`pulumi stack {question[0]}` says no JSON object: {one_line(answer)[:100]!r}")
    return cast(dict[str, Any], found)


def is_in_backend(name: str) -> bool:
    """Whether the backend has the stack. Reads its state alone, unlike `pulumi stack ls`. Raises UsageError."""
    try:
        pulumi("stack", "output", "--json", "--stack", name)
    except NoStack:
        return False
    return True


def pulumi(*arguments: str) -> str:
    """What the Pulumi CLI answers for this checkout's project.

    Raises UsageError with the CLI's error in one line, as NoStack if the backend does not have the stack.
    """
    command = [cli(), *arguments, "--non-interactive"]
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:  # such as a program for another processor
        raise UsageError(f"{command[0]} does not run: {error.strerror}") from None
    if answer.returncode:
        reason = one_line(re.split(r"^error: ", answer.stderr, flags=re.MULTILINE)[-1]) or "no output"
        error = NoStack if answer.returncode == STACK_NOT_FOUND else UsageError
        raise error(f"pulumi says: {reason}")
    return answer.stdout


def cli() -> str:
    """The path of the Pulumi CLI. Raises UsageError."""
    if not (found := shutil.which("pulumi")):
        raise UsageError(f"`pulumi` is not on PATH: install it ({DOWNLOADS})")
    return found
