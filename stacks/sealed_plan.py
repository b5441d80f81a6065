"""Binds a deployment to the state that its plan was made from.

`pulumi up --plan` applies a plan to any state that allows its steps (https://github.com/pulumi/pulumi/issues/16670).
`python -m ops preview` therefore asks the program for a fingerprint of the state, and `python -m ops deploy` has it
compared under the engine's lock.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

FACTS, STATE = "PLAN_FACTS_FILE", "PLAN_STATE"
"""Variables of the environment: the file to write the facts to, and the fingerprint that the state must have."""


def check(fingerprint: str) -> None:
    """Raises pulumi.RunError if the state is not the one of the plan that is being deployed."""
    if os.environ.get(STATE, fingerprint) != fingerprint:
        raise pulumi.RunError(
            f"the state of stack {pulumi.get_stack()} has changed since the plan was made: plan again"
        )


def write_facts(fingerprint: str, digest: str) -> None:
    """Write what a plan of this program is bound to, if somebody makes one: the state and the artifact."""
    if file := os.environ.get(FACTS):
        Path(file).write_text(json.dumps({"state": fingerprint, "artifact": digest}))


def fingerprint(outputs: Mapping[str, Any], resources: Mapping[str, Any]) -> str:
    """The SHA-256 of the stack's outputs and of its resources, except those that the engine itself makes before the
    program runs.
    """
    ours = {urn: resource for urn, resource in resources.items() if not resource["type"].startswith("pulumi:")}
    content = json.dumps([outputs, ours], sort_keys=True, default=vars)  # archives and assets are objects
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
