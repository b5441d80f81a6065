"""The engine's state, a JSON file for each stack; a start of the engine takes a fifth of a second.

https://www.pulumi.com/docs/iac/concepts/state-and-backends/#local-filesystem
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from local.cli.home import Home, LocalError
from local.providers.values import is_object


def url(folder: Path) -> str:
    """For PULUMI_BACKEND_URL, of the state in the folder.

    The engine writes files of metadata non-atomically unless the URL says otherwise, and a command that reads a stack
    meanwhile fails with "EOF" (https://pkg.go.dev/gocloud.dev/blob/fileblob).
    """
    return f"{folder.as_uri()}?metadata=skip"


def deployments(home: Home) -> dict[str, dict[str, Any]]:
    """What the engine knows of each stack, by name; empty if it never came up. Raises LocalError."""
    return {path.stem: _deployment(path) for path in sorted(_files(home))}


def exists(home: Home, name: str) -> bool:
    """Whether the engine knows the stack, even if it never came up."""
    return any(path.stem == name for path in _files(home))


def create(folder: Path, project: str, stack: str, deployment: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Writes what `pulumi stack init` writes, with what the engine is to know of the stack."""
    checkpoint = {"stack": f"organization/{project}/{stack}", "latest": dict(deployment)}
    _write(folder / ".pulumi" / "meta.yaml", "version: 1\n")
    path = folder / ".pulumi" / "stacks" / project / f"{stack}.json"
    _write(path, json.dumps({"version": 3, "checkpoint": checkpoint}))


def _write(path: Path, text: str) -> None:
    """Writes the whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(text)
    unfinished.rename(path)


def _files(home: Home) -> Iterator[Path]:
    return home.state.glob(".pulumi/stacks/*/*.json")


def _deployment(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())["checkpoint"]["latest"] or {}
    except (OSError, ValueError, KeyError, TypeError):
        raise LocalError(f"{path} cannot be read: `make up` starts the clouds afresh") from None


def resources(home: Home, name: str) -> list[dict[str, Any]]:
    """The stack's resources. Raises LocalError."""
    return deployments(home).get(name, {}).get("resources", [])


def outputs(home: Home) -> dict[str, dict[str, Any]]:
    """All stacks' outputs, by stack name; secret ones are "[secret]". Raises LocalError."""
    return {name: dict(_outputs(deployment)) for name, deployment in deployments(home).items()}


def _outputs(deployment: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for resource in deployment.get("resources", []):
        if resource["type"] == "pulumi:pulumi:Stack":
            for name, value in resource.get("outputs", {}).items():
                yield name, "[secret]" if is_object(value) and "ciphertext" in value else value
