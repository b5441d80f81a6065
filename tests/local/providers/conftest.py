"""The laptop's clouds, and stacks that the real engine applies to them through the fake providers."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3  # pyright: ignore[reportMissingTypeStubs]
import httpx
import pytest
from pulumi import automation as auto

from local import providers
from local.cli import clouds as laptops_clouds
from local.cli.home import APP_PYTHON, ROOT, Home
from local.cli.tools import pulumi

REGION = "eu-west-1"

type Program = Callable[[], None]


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a running daemon, with the built-in Firestore: no Java is on its PATH."""
    home = Home(tmp_path_factory.mktemp("clouds"))
    command = [APP_PYTHON, "-m", "local.cloud.daemon", "--home", home.path]
    environment = os.environ | {"PATH": ""}
    with (
        home.log.open("w") as log,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log) as daemon,
    ):
        while not (home.facts.exists() and laptops_clouds.running(home)):
            assert daemon.poll() is None, home.log.read_text()
            time.sleep(0.05)
        yield home.path
        daemon.terminate()


def ask(clouds: Path, method: str, *path: str, body: object = None) -> dict[str, Any]:
    """What the daemon's control API answers, {} without a body. Raises httpx.HTTPStatusError."""
    daemon = json.loads((clouds / "daemon.json").read_text())
    url = "/".join([daemon["control"], *(quote(part, safe="") for part in path)])
    answer = httpx.request(method, url, json=body, headers={"Authorization": f"Bearer {daemon['token']}"})
    return json.loads(answer.raise_for_status().text or "{}")


class Aws:
    """Clients of the same AWS, to look and to meddle behind the engine's back."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            where = {"endpoint_url": self._address, "region_name": REGION}
            self._clients[service] = boto3.client(service, **where, **credentials)  # pyright: ignore[reportUnknownMemberType]
        return self._clients[service]

    def forget_everything(self) -> None:
        httpx.post(f"{self._address}/moto-api/reset").raise_for_status()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@pytest.fixture(scope="session")
def running_aws(clouds: Path) -> Iterator[Aws]:
    aws = Aws(json.loads((clouds / "daemon.json").read_text())["aws"])
    yield aws
    aws.close()


@pytest.fixture
def aws(running_aws: Aws) -> Aws:
    """An AWS with nothing in it."""
    running_aws.forget_everything()
    return running_aws


class Engine:
    """A stack of the real engine. Changes are told as {operation: number of resources}."""

    def __init__(self, folder: Path, home: Path) -> None:
        providers.install(folder / "pulumi")
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text("name: providers\nruntime: python\n")
        environment = {
            "BETTER_TOGETHER_HOME": str(home),
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        workspace = auto.LocalWorkspace(
            work_dir=str(folder),
            pulumi_home=str(folder / "pulumi"),
            pulumi_command=pulumi(),
            program=lambda: None,
            env_vars=environment,
        )
        self.folder = folder
        self.stack = auto.Stack.create("test", workspace)
        settings = {"aws:region": REGION, "gcp:project": "laptop"}
        self.stack.set_all_config({key: auto.ConfigValue(value) for key, value in settings.items()})
        self._outputs: auto.OutputMap = {}

    def preview(self, program: Program) -> dict[str, int]:
        return _changes(self.stack.preview(program=program).change_summary)

    def up(self, program: Program) -> dict[str, int]:
        result = self.stack.up(program=program, show_secrets=False)
        self._outputs = result.outputs
        return _changes(result.summary.resource_changes)

    def refresh(self) -> dict[str, int]:
        return _changes(self.stack.refresh(show_secrets=False).summary.resource_changes)

    def destroy(self) -> dict[str, int]:
        return _changes(self.stack.destroy(show_secrets=False).summary.resource_changes)

    def output(self, name: str) -> Any:
        """An output of the last `up`."""
        return self._outputs[name].value

    def tells(self, secret: str) -> bool:
        """Whether the secret can be read in any file of the engine's state."""
        return any(secret in file.read_text() for file in (self.folder / "state").rglob("*.json"))


def _changes(summary: Mapping[Any, int] | None) -> dict[str, int]:
    return {str(operation): count for operation, count in (summary or {}).items() if operation != "same"}


@pytest.fixture
def engine(tmp_path: Path, clouds: Path) -> Engine:
    return Engine(tmp_path, clouds)


@pytest.fixture
def engine_alone(tmp_path: Path) -> Engine:
    """Its clouds are not running."""
    return Engine(tmp_path, tmp_path / "nowhere")
