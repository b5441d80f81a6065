"""What the project says about itself in more than one place is the same everywhere."""

import json
import tomllib

import pytest
import yaml

from tests.stacks.deployment import ROOT

PROJECTS = ["app/pyproject.toml", "policy/pyproject.toml", "pulumi_momento/pyproject.toml"]
PUBLISHED_ALONE = "pulumi_momento/pyproject.toml"


def project(path: str) -> dict[str, object]:
    return tomllib.loads((ROOT / path).read_text())["project"]


VERSIONS = {path: project(path)["version"] for path in PROJECTS if path != PUBLISHED_ALONE} | {
    "policy/PulumiPolicy.yaml": yaml.safe_load((ROOT / "policy" / "PulumiPolicy.yaml").read_text())["version"],
    "openapi.json": json.loads((ROOT / "openapi.json").read_text())["info"]["version"],
}


@pytest.mark.parametrize("path", VERSIONS)
def test_the_project_has_one_version(path: str) -> None:
    assert VERSIONS[path] == project("pyproject.toml")["version"]


@pytest.mark.parametrize("path", PROJECTS)
@pytest.mark.parametrize("key", ["license", "authors"])
def test_all_projects_have_one_license_and_the_same_authors(path: str, key: str) -> None:
    assert project(path)[key] == project("pyproject.toml")[key]


def test_the_package_that_is_published_has_its_license() -> None:
    """A copy, since a link to a file outside the package is broken in the archive that it is built from."""
    assert (ROOT / "pulumi_momento" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_the_dev_container_has_the_projects_python() -> None:
    _, _, tag = (ROOT / ".devcontainer" / "Dockerfile").read_text().partition("python:")
    assert tag.startswith((ROOT / ".python-version").read_text().strip() + "-")
