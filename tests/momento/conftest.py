"""A Momento on the laptop and stacks that the real engine applies to it."""

import json
import os
import subprocess
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation as auto

from local.cli import state, vault
from local.cli.tools import pulumi
from tests.engine import Program, QuickWorkspace, changes, new_stack

ROOT = Path(__file__).resolve().parents[2]
APP_PYTHON = ROOT / "app" / ".venv" / "bin" / "python"
KEY = "key-of-the-laptop"


@dataclass(frozen=True)
class Momento:
    endpoint: str
    key: str = KEY

    @property
    def settings(self) -> dict[str, Any]:
        """The config of a stack that has its caches here."""
        return {"momento:apiKey": {"secure": vault.encrypted(self.key)}, "momento:endpoint": self.endpoint}

    def caches(self) -> list[str]:
        return self._account("list")

    def create(self, name: str) -> None:
        self._account("create", name)

    def delete(self, name: str) -> None:
        self._account("delete", name)

    def _account(self, *arguments: str) -> list[str]:
        port = self.endpoint.rpartition(":")[2]
        command = [APP_PYTHON, Path(__file__).with_name("account.py"), port, self.key, *arguments]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


@contextmanager
def running(*arguments: str) -> Generator[Momento]:
    """A Momento that `python -m` starts with these arguments."""
    command = [APP_PYTHON, "-m", *arguments]
    environment = os.environ | {"MOMENTO_API_KEY": KEY}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Momento(process.stdout.readline().strip())
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def momento() -> Iterator[Momento]:
    with running("local.cloud.momento") as momento:
        yield momento


@contextmanager
def limited(refused: str) -> Generator[Momento]:
    """A Momento that refuses `every` call for its rate, or `every-other`."""
    with running("tests.momento.limited", KEY, refused) as momento:
        yield momento


def workspace(folder: Path) -> QuickWorkspace:
    """A project in the folder, with a state and a Pulumi home of its own."""
    plugin = {"name": "momento", "path": str(ROOT / "pulumi_momento")}
    settings = {"name": "caches", "runtime": "python", "plugins": {"providers": [plugin]}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
    (folder / "state").mkdir(exist_ok=True)
    return QuickWorkspace(
        work_dir=str(folder),
        pulumi_home=str(folder / "home"),
        pulumi_command=pulumi(),
        program=lambda: None,
        env_vars={
            "PULUMI_BACKEND_URL": state.url(folder / "state"),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "MOMENTO_API_KEY": "",
            "MOMENTO_ENDPOINT": "",
            **vault.variables(),
        },
    )


@dataclass
class Engine:
    """A stack. `said` is everything that the engine ever printed about it."""

    stack: auto.Stack
    state: Path
    said: list[str] = field(default_factory=list[str])

    @classmethod
    def made(cls, folder: Path, config: Mapping[str, Any]) -> "Engine":
        state = folder / "state"
        return cls(new_stack(workspace(folder), state, "test", config), state)

    def preview(self, program: Program) -> dict[str, int]:
        return self._changes(self.stack.preview, program=program)

    def up(self, program: Program) -> dict[str, int]:
        return self._changes(self.stack.up, program=program)

    def refresh(self) -> dict[str, int]:
        return self._changes(self.stack.refresh)

    def destroy(self) -> dict[str, int]:
        return self._changes(self.stack.destroy)

    def _changes(self, run: Callable[..., object], **options: Any) -> dict[str, int]:
        return changes(run, on_output=self.said.append, on_error=self.said.append, **options)

    def decrypted_outputs(self) -> auto.OutputMap:
        return self.stack.workspace.stack_outputs(self.stack.name)


@pytest.fixture
def engine(tmp_path: Path, momento: Momento) -> Engine:
    """A new stack that is configured for the laptop's Momento."""
    return Engine.made(tmp_path, momento.settings)
