"""The README's tables say what the code does."""

import re
from pathlib import Path

import yaml

from app.settings import Settings, bind_address, thread_count
from stacks.gcp import APIS
from stacks.observability import WINDOW_SECONDS, WINDOWS_BEFORE_ALARM, alarms
from tests.stacks.deployment import Deployment
from tests.stacks.test_both import Reading, environment


def table(root: Path, title: str) -> set[str]:
    """The names in the first column of the table under a heading."""
    section = (root / "README.md").read_text().split(f"# {title}\n")[1].split("\n#")[0]
    first_cells = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    return {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}


def test_the_configuration_is_what_the_project_declares(root: Path) -> None:
    project = yaml.safe_load((root / "Pulumi.yaml").read_text())
    declared = {f"{project['name']}:{key}" for key in project["config"]}
    of_providers = {"momento:apiKey", "momento:endpoint", "aws:region", "gcp:project", "gcp:region"}
    assert table(root, "Configuration") == declared | of_providers


def test_the_apis_to_turn_on_are_those_that_the_stack_uses(root: Path) -> None:
    [told] = re.findall(r"gcloud services enable {(.+)}", (root / "README.md").read_text())
    assert sorted(told.split(",")) == sorted([*APIS, "serviceusage"])


def test_the_alarms_are_those_of_the_stacks(root: Path) -> None:
    section = (root / "README.md").read_text().split("\n### See it\n")[1].split("\n## ")[0]
    told = re.findall(r"^\| `([-a-z]+)` \| .*?more than (\d+) ", section, re.MULTILINE)
    assert told == [(alarm.name, f"{alarm.threshold:g}") for alarm in alarms("dynamodb")]
    assert (WINDOW_SECONDS, WINDOWS_BEFORE_ALARM) == (300, 2), "the README says so in words"


def test_the_outputs_are_what_a_deployment_tells(root: Path, aws: Deployment) -> None:
    assert table(root, "Outputs") == set(aws.outputs)


def test_the_environment_is_what_the_settings_read(root: Path, aws: Deployment, gcp: Deployment) -> None:
    read: set[str] = set()
    auth = {"AUTH_ISSUER": "https://login.example.com/", "AUTH_AUDIENCE": "users"}
    elsewhere = {"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-1"}
    for variables in (environment(aws) | auth, environment(aws) | elsewhere, environment(gcp)):
        environ = Reading(variables)
        Settings.from_environ(environ)
        bind_address(environ)
        thread_count(environ)
        read |= environ.read
    assert table(root, "Environment of the app") == read
