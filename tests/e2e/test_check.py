"""`make check` finds both clouds as they should be and leaves no users, and `make prune` finds nothing to delete."""

import subprocess
import sys

import httpx
import pytest

from tests.e2e.laptop import ROOT, Laptop, versions
from tests.e2e.test_contract import warm_up


@pytest.mark.parametrize(
    ("cloud", "write"),
    [
        pytest.param("aws", [], marks=pytest.mark.prove),
        ("aws", ["--write"]),
        ("gcp", []),
        pytest.param("gcp", ["--write"], marks=pytest.mark.prove),
    ],
)
def test_a_deployment_just_brought_up(
    clouds: Laptop, runtimes: dict[str, httpx.Client], cloud: str, write: list[str]
) -> None:
    client = runtimes[cloud]
    warm_up(client)
    command = [sys.executable, "-m", "ops", "check", "--stack", cloud, "--home", str(clouds.home), *write]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
    lines = result.stdout.splitlines()
    url = str(client.base_url).rstrip("/")
    assert lines[0] == f"stack {cloud} of the local clouds: {url}"
    assert lines[1].startswith("ok       digest: sha256:")
    assert " ok, 0 WRONG, " in lines[-1]
    assert users_of_check(client) == []


@pytest.mark.parametrize(
    ("cloud", "said"),
    [
        ("aws", [": better-together-aws", "nothing to delete"]),
        ("gcp", [": nothing to delete, since Google Cloud bills no old revisions"]),
    ],
)
def test_an_up_has_deleted_old_versions(clouds: Laptop, cloud: str, said: list[str]) -> None:
    kept = versions(clouds)
    command = [sys.executable, "-m", "ops", "prune", cloud, "--home", str(clouds.home)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"stack {cloud} of the local clouds" + "\n".join(said) + "\n" == result.stdout
    assert versions(clouds) == kept


def users_of_check(client: httpx.Client) -> list[str]:
    ids: list[str] = []
    path = "/users?limit=100"
    while path:
        page = client.get(path)
        ids += [user["id"] for user in page.json()["users"] if user["id"].startswith("check-")]
        path = page.links.get("next", {}).get("url", "")
    return ids
