"""Compares the state with the one that a plan was made from.

`pulumi up --plan` applies a plan to any state that allows its steps (https://github.com/pulumi/pulumi/issues/16670).
`python -m ops preview` has the program write a fingerprint of the state to a file, and `python -m ops deploy` has it
compare that with the state under the engine's lock.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

WRITE_TO, EXPECTED = "PLANNED_STATE_FILE", "PLANNED_STATE"
"""Variables of the environment: the file to write the fingerprint to, and the fingerprint to expect."""


def check(outputs: Mapping[str, Any], resources: Mapping[str, Any]) -> None:
    """Raises pulumi.RunError if the state is not as expected."""
    if file := os.environ.get(WRITE_TO):
        Path(file).write_text(_fingerprint(outputs, resources))
    expected = os.environ.get(EXPECTED)
    if expected and expected != _fingerprint(outputs, resources):
        raise pulumi.RunError(
            f"the state of stack {pulumi.get_stack()} has changed since the plan was made: plan again"
        )


def _fingerprint(outputs: Mapping[str, Any], resources: Mapping[str, Any]) -> str:
    """The SHA-256 of the stack's outputs and of its resources, without those that the engine itself may have made since
    the update began.
    """
    ours = {urn: resource for urn, resource in resources.items() if not resource["type"].startswith("pulumi:")}
    content = json.dumps([outputs, ours], sort_keys=True, default=vars)  # vars, since archives and assets are objects
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
