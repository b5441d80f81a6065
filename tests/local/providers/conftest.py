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

from local.cli import clouds as laptops_clouds
from local.cli import state, vault
from local.cli.home import APP_PYTHON, ROOT, Home
from local.cli.tools import pulumi
from local.providers import server
from local.providers.control import Control
from tests.engine import Program, QuickWorkspace, changes, new_stack, outputs

REGION = "eu-west-1"
NOWHERE = Control(Path("nowhere"))
"""Of clouds that do not run."""
SETTINGS = {"aws:region": REGION, "gcp:project": "laptop"}


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

    def __init__(self, folder: Path, home: Path, config: Mapping[str, str] = SETTINGS) -> None:
        (folder / "Pulumi.yaml").write_text("name: providers\nruntime: python\n")
        self.state = folder / "state"
        environment = {
            "PULUMI_BACKEND_URL": state.url(self.state),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **vault.variables(),
            **server.variables(home),
        }
        workspace = QuickWorkspace(
            work_dir=str(folder),
            pulumi_home=str(folder / "pulumi"),
            pulumi_command=pulumi(),
            program=lambda: None,
            env_vars=environment,
        )
        self.stack = new_stack(workspace, self.state, "test", config)

    def preview(self, program: Program) -> dict[str, int]:
        return self._changes(self.stack.preview, program=program)

    def up(self, program: Program) -> dict[str, int]:
        return self._changes(self.stack.up, program=program)

    def refresh(self) -> dict[str, int]:
        return self._changes(self.stack.refresh)

    def destroy(self) -> dict[str, int]:
        return self._changes(self.stack.destroy)

    def _changes(self, run: Callable[..., object], **options: Any) -> dict[str, int]:
        found = changes(run, **options)
        return {operation: count for operation, count in found.items() if operation != "same"}

    def output(self, name: str) -> Any:
        """An output, as it is in the state."""
        return outputs(self.state)[name]

    def tells(self, secret: str) -> bool:
        """Whether the secret can be read in any file of the engine's state."""
        return any(secret in file.read_text() for file in self.state.rglob("*.json"))


@pytest.fixture
def engine(tmp_path: Path, clouds: Path) -> Engine:
    return Engine(tmp_path, clouds)


@pytest.fixture
def engine_alone(tmp_path: Path) -> Engine:
    """Its clouds are not running."""
    return Engine(tmp_path, tmp_path / "nowhere")
