"""The artifact's software bill of materials, in CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/"""

import json
import re
import tomllib
import uuid
from collections.abc import Sequence
from email import message_from_string
from importlib.metadata import Distribution, distributions
from itertools import product
from pathlib import Path
from typing import Any


def components(tree: Path, app: Path) -> list[dict[str, Any]]:
    """The packages that are in the tree, which the project `app` locks, by package URL.

    Their licences are in their metadata; `uv.lock` has the wheels that they come from.
    """
    locked = {package["name"]: package for package in tomllib.loads((app / "uv.lock").read_text("utf-8"))["package"]}
    found = [_component(package, locked) for package in distributions(path=[str(tree)])]
    return sorted(found, key=lambda component: component["purl"])


def describe(components: Sequence[dict[str, Any]], app: Path, digest: str) -> str:
    """The JSON document of an artifact of the project `app`.

    It has no time and no random number, so that it is the same wherever the artifact is built.
    """
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, digest).urn,
        "version": 1,
        "metadata": {"component": _main_component(app, digest)},
        "components": components,
    }
    return json.dumps(document, indent=2) + "\n"


def _main_component(app: Path, digest: str) -> dict[str, Any]:
    project = tomllib.loads((app / "pyproject.toml").read_text("utf-8"))["project"]
    return {
        "type": "application",
        "bom-ref": digest,
        "name": project["name"],
        "version": project["version"],
        "hashes": _hashes(digest),
        "licenses": [{"expression": project["license"]}],
    }


def _component(package: Distribution, locked: dict[str, Any]) -> dict[str, Any]:
    name = re.sub(r"[-_.]+", "-", package.name).lower()
    purl = f"pkg:pypi/{name}@{package.version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "licenses": _licenses(package),
        "externalReferences": [
            {"type": "distribution", "url": wheel["url"], "hashes": _hashes(wheel["hash"])}
            for wheel in locked[name]["wheels"]
            if _tags_of_name(wheel["url"]) == _tags(package)
        ],
    }


def _licenses(package: Distribution) -> list[dict[str, Any]]:
    """From what metadata may have: https://packaging.python.org/en/latest/specifications/core-metadata/."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return [{"expression": metadata["License-Expression"]}]
    classifiers = [name for name in metadata.get_all("Classifier", []) if name.startswith("License :: ")]
    names = [name.rpartition(" :: ")[2] for name in classifiers] or metadata.get_all("License", [])
    return [{"license": {"name": name}} for name in names]


def _tags(package: Distribution) -> set[str]:
    """The tags of the wheel that was installed."""
    return set(message_from_string(package.read_text("WHEEL") or "").get_all("Tag", []))


def _tags_of_name(wheel: str) -> set[str]:
    """https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/#compressed-tag-sets"""
    parts = wheel.removesuffix(".whl").split("-")[-3:]
    return {"-".join(tag) for tag in product(*(part.split(".") for part in parts))}


def _hashes(digest: str) -> list[dict[str, str]]:
    """`digest` is sha256:..."""
    return [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}]
