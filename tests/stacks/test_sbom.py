"""The SBOM is valid, and has exactly what is in the artifact."""

import json
import re
from email import message_from_string
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from stacks.artifact import Artifact


@pytest.fixture(scope="module")
def sbom(artifact: Artifact) -> dict[str, Any]:
    return json.loads(artifact.sbom.read_text())


def error(sbom: dict[str, Any]) -> str:
    """What is wrong with the document, empty if it is valid."""
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(sbom))
    return str(found or "")


def test_it_is_valid(sbom: dict[str, Any]) -> None:
    assert not error(sbom)


@pytest.mark.parametrize(
    ("place", "broken"),
    [
        ((), {"serialNumber": "7"}),
        ((), {"digest": "7"}),
        (("metadata", "component", "hashes", 0), {"content": "sha256:7"}),
        (("components", 0), {"type": "libary"}),
        (("components", 0), {"licenses": [{"license": {"id": "Our own"}}]}),
    ],
    ids=str,
)
def test_a_broken_one_is_not(sbom: dict[str, Any], place: tuple[str | int, ...], broken: dict[str, Any]) -> None:
    document: Any = json.loads(json.dumps(sbom))
    reduce(getitem, place, document).update(broken)
    assert error(document)


def test_it_is_of_the_artifact(sbom: dict[str, Any], artifact: Artifact) -> None:
    app = sbom["metadata"]["component"]
    assert app["bom-ref"] == artifact.digest
    assert f"sha256:{app['hashes'][0]['content']}" == artifact.digest
    assert (app["name"], app["version"]) == ("better-together-app", "0.1.0")
    assert app["licenses"] == [{"expression": "Apache-2.0"}]


def test_it_has_each_package_of_the_archive_and_no_other(sbom: dict[str, Any], tree: Path) -> None:
    metadata = [message_from_string((path / "METADATA").read_text()) for path in tree.glob("*.dist-info")]
    components = {(component["name"], component["version"]) for component in sbom["components"]}
    assert components == {(package["Name"], package["Version"]) for package in metadata}
    assert len(sbom["components"]) == len(components) > 30
    assert not list(tree.rglob("*.cdx.json"))


def test_each_component_names_its_package_licence_and_wheel(sbom: dict[str, Any], root: Path) -> None:
    lock = (root / "app" / "uv.lock").read_text()
    for component in sbom["components"]:
        assert component["purl"] == f"pkg:pypi/{component['name'].lower().replace('_', '-')}@{component['version']}"
        assert component["licenses"]
        [wheel] = component["externalReferences"]
        assert re.fullmatch(r"https://files\.pythonhosted\.org/.*(none-any|manylinux.*x86_64)\.whl", wheel["url"])
        assert f'url = "{wheel["url"]}", hash = "sha256:{wheel["hashes"][0]["content"]}"' in lock


@pytest.mark.parametrize(
    ("name", "licenses"),
    [
        ("cryptography", [{"expression": "Apache-2.0 OR BSD-3-Clause"}]),
        ("python-dateutil", [{"license": {"name": "BSD License"}}, {"license": {"name": "Apache Software License"}}]),
        ("botocore", [{"license": {"name": "Apache-2.0"}}]),
    ],
)
def test_licences_are_an_expression_or_classifiers_or_text(
    sbom: dict[str, Any], name: str, licenses: list[dict[str, Any]]
) -> None:
    [component] = [component for component in sbom["components"] if component["name"] == name]
    assert component["licenses"] == licenses
