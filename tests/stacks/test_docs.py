"""The docs' tables list what the code has, their links lead somewhere, and their pictures are current."""

import re
from pathlib import Path

import pytest
import yaml

from app.settings import Settings, bind_address, thread_count
from docs.__main__ import PICTURES
from docs.__main__ import TABLES as COMPUTED
from docs.costs.prices import PRICES
from docs.tables import fill
from stacks.gcp import APIS
from stacks.signals import WINDOW_SECONDS, WINDOWS_BEFORE_ALARM
from tests.stacks import watched
from tests.stacks.deployment import PROJECT, ROOT, Deployment
from tests.stacks.test_both import OUTPUTS, Reading

FOLDERS = (ROOT, ROOT / "docs", ROOT / "local")
PAGES = sorted(page.relative_to(ROOT) for folder in FOLDERS for page in folder.glob("*.md"))
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


def test_the_files_that_the_map_of_local_names_exist() -> None:
    named = re.findall(r"`((?:cli|cloud|providers|tests)/[\w/.]+)`", (ROOT / "local" / "README.md").read_text())
    assert len(named) > 20
    assert not [path for path in named if not ((ROOT / "local" / path).exists() or (ROOT / path).exists())]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in LINK.findall((ROOT / page).read_text()):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def configuration() -> set[str]:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    of_providers = {"momento:apiKey", "momento:endpoint", "aws:region", "gcp:project", "gcp:region"}
    return {f"{PROJECT}:{key}" for key in declared} | of_providers


def environment() -> set[str]:
    """The variables that the app reads, with every store, the cache and an issuer."""
    cache = {"MOMENTO_CACHE": "users", "MOMENTO_ENDPOINT": "momento.test", "MOMENTO_API_KEY_PARAMETER": "key"}
    auth = {"AUTH_ISSUER": "https://login.example.com/", "AUTH_AUDIENCE": "users"}
    read: set[str] = set()
    for variables in (
        {
            "PERSISTENCE": "dynamodb",
            "USERS_TABLE": "users",
            "PICTURES_TABLE": "pictures",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        | cache
        | auth,
        {"PERSISTENCE": "firestore", "GOOGLE_CLOUD_PROJECT": "project"},
    ):
        environ = Reading(variables)
        Settings.from_environ(environ)
        bind_address(environ)
        thread_count(environ)
        read |= environ.read
    return read


TABLES = {
    ("configuration.md", "Configuration"): configuration(),
    ("configuration.md", "Environment of the app"): environment(),
    ("operations.md", "Outputs"): set(OUTPUTS),
}


@pytest.mark.parametrize(
    ("page", "title", "name"),
    [(*place, name) for place, names in TABLES.items() for name in sorted(names | table(*place))],
)
def test_a_table_has_a_row_for_each_name_and_no_other(page: str, title: str, name: str) -> None:
    assert name in table(page, title), f"docs/{page} lacks {name} in the table under {title}"
    assert name in TABLES[page, title], f"docs/{page} has {name} in the table under {title}, but the code does not"


def test_the_apis_to_turn_on_are_those_that_the_stack_uses() -> None:
    [listed] = re.findall(r"gcloud services enable {(.+)}", section("real-clouds.md", "On real clouds"))
    assert sorted(listed.split(",")) == sorted([*APIS, "serviceusage"])


def test_the_alarms_are_those_of_the_stacks(aws: Deployment) -> None:
    listed = re.findall(r"^\| `([-a-z]+)` \| .*?more than (\d+) ", section("operations.md", "See it"), re.MULTILINE)
    alarms = {alarm["name"].removeprefix("better-together-aws-"): alarm["threshold"] for alarm in watched.alarms(aws)}
    assert dict(listed) == {name: f"{threshold:g}" for name, threshold in alarms.items()}
    assert (WINDOW_SECONDS, WINDOWS_BEFORE_ALARM) == (300, 2), "the docs say so in words"


@pytest.mark.parametrize("path", ["stacks/aws_old_versions.py", "ops/prune.py", "policy/rules/snap_start.py"])
def test_the_price_of_a_snapshot_is_the_same_everywhere(path: str) -> None:
    """These parts do not import each other."""
    [price] = re.findall(r"^SNAPSHOT_PRICE = ([\d.]+)  # dollars$", (ROOT / path).read_text(), re.MULTILINE)
    assert float(price) == PRICES["SnapStart cache"].usd
    text = " ".join(section("operations.md", "Old versions").split())
    assert f"${price} for a GB-second" in text
    assert f"${float(price) * 30 * 24 * 60 * 60:.2f} in 30 days for a version of 1024 MB" in text


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_make_docs_draws(name: str) -> None:
    assert (ROOT / "docs" / f"{name}.svg").read_text() == PICTURES[name](), "run `make docs`"


@pytest.mark.parametrize("name", COMPUTED)
def test_the_tables_are_what_make_docs_computes(name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text()
    assert fill(page, COMPUTED[name]) == page, "run `make docs`"
