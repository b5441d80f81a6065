"""Accounts that the real engine has set up, by the unmodified programs, through the laptop's providers."""

import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine import deployment
from tests.local.providers import conftest as providers

ROOT = Path(__file__).parents[2]
CONFIG = {"repository": "Octo/users", "repositoryId": "1296269", "repositoryOwnerId": "583231"}

clouds = providers.clouds


@dataclass(frozen=True)
class Account:
    """What an administrator's `pulumi up` leaves."""

    engine: providers.Engine
    program: Callable[[], None]
    resources: list[dict[str, Any]]
    """As in the state, in which the property names are Pulumi's."""
    variables: dict[str, dict[str, str]]

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resources with this end of their type, by their names in the program."""
        found = [one for one in self.resources if one["type"].endswith(kind)]
        return {one["urn"].rpartition("::")[2]: one for one in found}

    def inputs(self, kind: str, name: str) -> dict[str, Any]:
        return self.all(kind)[name]["inputs"]


def set_up(folder: Path, clouds: Path, cloud: str, config: Mapping[str, str]) -> Account:
    declared = yaml.safe_load((ROOT / "bootstrap" / cloud / "Pulumi.yaml").read_text())["config"]
    defaults = {key: facts["default"] for key, facts in declared.items() if "default" in facts}
    own = {f"providers:{key}": value for key, value in (defaults | CONFIG | dict(config)).items()}
    engine = providers.Engine(folder, clouds, providers.SETTINGS | {"gcp:region": providers.REGION} | own)

    def program() -> None:
        runpy.run_path(str(ROOT / "bootstrap" / cloud), run_name="__main__")  # as Pulumi does

    engine.up(program)
    return Account(engine, program, deployment(engine.state)["resources"], engine.output("variables"))


@pytest.fixture(scope="session")
def aws_account(tmp_path_factory: pytest.TempPathFactory, clouds: Path) -> Account:
    environments = {"environments": "development production=aws-prod watch=aws-prod"}
    return set_up(tmp_path_factory.mktemp("aws"), clouds, "aws", environments)


@pytest.fixture(scope="session")
def gcp_project(tmp_path_factory: pytest.TempPathFactory, clouds: Path) -> Account:
    return set_up(tmp_path_factory.mktemp("gcp"), clouds, "gcp", {})
