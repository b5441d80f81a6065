"""The tables of the docs say what the code does, and their links lead somewhere."""

import re
from pathlib import Path

import pytest
import yaml

from app.settings import Settings, bind_address, thread_count
from stacks.gcp import APIS
from stacks.observability import WINDOW_SECONDS, WINDOWS_BEFORE_ALARM, alarms
from tests.stacks.deployment import PROJECT, ROOT, Deployment
from tests.stacks.test_both import Reading, environment

PAGES = sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")


def section(page: str, title: str) -> str:
    return (ROOT / "docs" / page).read_text().split(f"# {title}\n")[1].split("\n#")[0]


def table(page: str, title: str) -> set[str]:
    """The names in the first column of the table under a heading."""
    first_cells = re.findall(r"^\| (`[^|]*) \|", section(page, title), re.MULTILINE)
    return {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in LINK.findall((ROOT / page).read_text()):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_the_configuration_is_what_the_project_declares() -> None:
    declared = {f"{PROJECT}:{key}" for key in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]}
    of_providers = {"momento:apiKey", "momento:endpoint", "aws:region", "gcp:project", "gcp:region"}
    assert table("configuration.md", "Configuration") == declared | of_providers


def test_the_apis_to_turn_on_are_those_that_the_stack_uses() -> None:
    [told] = re.findall(r"gcloud services enable {(.+)}", section("real-clouds.md", "On real clouds"))
    assert sorted(told.split(",")) == sorted([*APIS, "serviceusage"])


def test_the_alarms_are_those_of_the_stacks() -> None:
    told = re.findall(r"^\| `([-a-z]+)` \| .*?more than (\d+) ", section("operations.md", "See it"), re.MULTILINE)
    assert told == [(alarm.name, f"{alarm.threshold:g}") for alarm in alarms("dynamodb")]
    assert (WINDOW_SECONDS, WINDOWS_BEFORE_ALARM) == (300, 2), "the docs say so in words"


def test_the_outputs_are_what_a_deployment_tells(aws: Deployment) -> None:
    assert table("operations.md", "Outputs") == set(aws.outputs)


def test_the_environment_is_what_the_settings_read(aws: Deployment, gcp: Deployment) -> None:
    read: set[str] = set()
    auth = {"AUTH_ISSUER": "https://login.example.com/", "AUTH_AUDIENCE": "users"}
    elsewhere = {"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-1"}
    for variables in (environment(aws) | auth, environment(aws) | elsewhere, environment(gcp)):
        environ = Reading(variables)
        Settings.from_environ(environ)
        bind_address(environ)
        thread_count(environ)
        read |= environ.read
    assert table("configuration.md", "Environment of the app") == read
