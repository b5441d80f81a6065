"""Snapshots of all resources of each stack, so that reviews show every change. `make snapshots` updates them."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from local.providers.values import Asset
from tests.stacks.deployment import deploy

FOLDER = Path(__file__).with_name("snapshots")
STACKS = ("aws", "gcp", "aws-prod", "gcp-prod")


def snapshot(stack: str) -> str:
    """All resources with their inputs, sorted, without values that depend on the artifact's bytes or the time."""
    deployment = deploy(stack, stack=stack)
    digest = deployment.outputs["artifactDigest"].removeprefix("sha256:")
    resources = {f"{r.type}::{r.name}": {n: _plain(v) for n, v in r.inputs.items()} for r in deployment.resources}
    text = json.dumps(resources, indent=2, sort_keys=True).replace(digest, "<digest>")
    text = text.replace(deployment.outputs["deployment"], "<deployment>")
    return re.sub(r'("codeSha256": )"[^"]+"', r'\1"<digest>"', text) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Asset):
        return f"<{Path(value.path or '').name}>"
    return value


@pytest.mark.parametrize("stack", STACKS)
def test_the_stack_is_as_reviewed(stack: str) -> None:
    assert snapshot(stack) == (FOLDER / f"{stack}.json").read_text(), "if the change is intended: make snapshots"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or STACKS:
        (FOLDER / f"{name}.json").write_text(snapshot(name))
