"""A Momento on the laptop and stacks that the real engine applies to it."""

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation as auto

from local.cli.tools import pulumi

ROOT = Path(__file__).resolve().parents[2]
APP_PYTHON = ROOT / "app" / ".venv" / "bin" / "python"
KEY = "key-of-the-laptop"

type Program = Callable[[], None]


@dataclass(frozen=True)
class Momento:
    endpoint: str
    key: str = KEY

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


def workspace(folder: Path) -> auto.LocalWorkspace:
    """A project in the folder, with a state and a Pulumi home of its own."""
    plugin = {"name": "momento", "path": str(ROOT / "pulumi_momento")}
    settings = {"name": "caches", "runtime": "python", "plugins": {"providers": [plugin]}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
    (folder / "state").mkdir(exist_ok=True)
    return auto.LocalWorkspace(
        work_dir=str(folder),
        pulumi_home=str(folder / "home"),
        pulumi_command=pulumi(),
        program=lambda: None,
        env_vars={
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "MOMENTO_API_KEY": "",
            "MOMENTO_ENDPOINT": "",
        },
    )


@dataclass
class Engine:
    """A stack. `said` is everything that the engine ever printed about it."""

    stack: auto.Stack
    said: list[str] = field(default_factory=list[str])

    def configured(self, momento: Momento) -> "Engine":
        key = auto.ConfigValue(momento.key, secret=True)
        self.stack.set_all_config({"momento:apiKey": key, "momento:endpoint": auto.ConfigValue(momento.endpoint)})
        return self

    def preview(self, program: Program) -> dict[str, int]:
        summary = self.stack.preview(program=program, on_output=self.said.append).change_summary
        return {str(operation): count for operation, count in summary.items()}

    def up(self, program: Program) -> auto.UpResult:
        return self.stack.up(program=program, show_secrets=False, on_output=self.said.append)

    def refresh(self) -> dict[str, int]:
        summary = self.stack.refresh(show_secrets=False, on_output=self.said.append).summary
        return {str(operation): count for operation, count in (summary.resource_changes or {}).items()}

    def destroy(self) -> None:
        self.stack.destroy(show_secrets=False, on_output=self.said.append)

    def deployment(self) -> dict[str, Any]:
        return dict(self.stack.export_stack().deployment or {})


@pytest.fixture
def bare(tmp_path: Path) -> Engine:
    """A new stack without any configuration."""
    return Engine(auto.Stack.create(f"s{uuid.uuid4().hex[:8]}", workspace(tmp_path)))


@pytest.fixture
def engine(bare: Engine, momento: Momento) -> Engine:
    """A new stack that is configured for the laptop's Momento."""
    return bare.configured(momento)
