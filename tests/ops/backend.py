"""A backend of the real engine in a folder, and the part of the checkout that `ops` needs."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pulumi import automation as auto

from local.cli import state, vault
from local.cli.tools import pulumi
from ops.stack import ROOT
from tests.engine import Program, QuickStack, QuickWorkspace, new_stack
from tests.momento.conftest import Momento


@dataclass(frozen=True)
class Backend:
    """Its stacks are of the project better-together, as those that `ops` works on."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the environment, for a backend that is not in the folder."""

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PATH": f"{Path(pulumi().command).parent}:{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": state.url(self.state),
            "PULUMI_CONFIG_PASSPHRASE": "of those that ops creates",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **vault.variables(),
            **self.variables,
        }

    @classmethod
    def made(cls, folder: Path, variables: Mapping[str, str] = MappingProxyType({})) -> "Backend":
        (folder / "state").mkdir()
        (folder / "project").mkdir()
        plugin = {"name": "momento", "path": str(ROOT / "pulumi_momento")}
        project = {"name": "better-together", "runtime": "python", "plugins": {"providers": [plugin]}}
        (folder / "project" / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        backend = cls(folder, variables)
        shutil.copytree(ROOT / "ops", backend.checkout / "ops")
        for stack in ("", ".aws", ".aws-prod", ".gcp", ".gcp-prod"):
            shutil.copy(ROOT / f"Pulumi{stack}.yaml", backend.checkout)
        for name in ("local", "pulumi_momento"):
            (backend.checkout / name).symlink_to(ROOT / name)
        return backend

    def stack(self, name: str, program: Program) -> auto.Stack:
        """A stack that exists, of the program."""
        return QuickStack.select(name, self._workspace(program))

    def new_stack(self, name: str, program: Program, momento: Momento | None = None) -> auto.Stack:
        """An empty stack of the program, whose file is in another folder than the checkout."""
        return new_stack(self._workspace(program), self.state, name, momento.settings if momento else {})

    def _workspace(self, program: Program) -> QuickWorkspace:
        return QuickWorkspace(
            work_dir=str(self.folder / "project"),
            pulumi_command=pulumi(),
            program=program,
            env_vars={
                name: value
                for name, value in self.environment.items()
                if name.startswith(("AWS_", "PULUMI_", "VAULT_"))
            },
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """`python -m ops` in the checkout."""
        command = [sys.executable, "-m", "ops", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.checkout,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ops(self, *arguments: str) -> tuple[int, dict[str, Any], str]:
        """The exit code of `python -m ops ... --json`, its result, and what it says aside."""
        process = self.start(arguments[0], "--json", *arguments[1:])
        out, err = process.communicate()
        return process.returncode, json.loads(out), err

    def pulumi(self, *arguments: str) -> str:
        command = [pulumi().command, *arguments, "--non-interactive"]
        result = subprocess.run(command, cwd=self.checkout, env=self.environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def stacks(self) -> list[str]:
        return [stack["name"] for stack in json.loads(self.pulumi("stack", "ls", "--json"))]
