"""The properties that AWS cannot change in place, from CloudFormation's schemas, which come with cfn-lint."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from local.providers import ROOT, sdk
from local.providers.aws.cloud import small

REGION = "us-east-1"


@cache
def create_only(token: str) -> frozenset[str]:
    """The inputs of a resource type that force a replacement: only its name if CloudFormation lacks the type.

    "aws:sqs/queue:Queue" is AWS::SQS::Queue there, and its QueueName is Pulumi's `name`.
    """
    _, module, name = token.split(":")
    service = module.partition("/")[0]
    inputs = sdk.properties(sdk.args_type(token))
    found = {"name"} & inputs.keys()
    for path in _create_only(f"aws::{service}::{name}".lower()):
        property = path.split("/")[2]
        found |= {"name" if property == f"{name}Name" else small(property)} & inputs.keys()
    return frozenset(found)


def _create_only(type: str) -> list[str]:
    """JSON pointers, such as /properties/QueueName."""
    folder = _schemas()
    files: dict[str, str] = json.loads((folder / "providers" / f"{REGION}.json").read_bytes()) if folder else {}
    file = next((file for name, file in files.items() if name.lower() == type), None)
    if not folder or not file:
        return []
    schema: dict[str, Any] = json.loads((folder / "resources" / f"{file}.json").read_bytes())
    return schema.get("createOnlyProperties", [])


def _schemas() -> Path | None:
    """cfn-lint's data folder in the app's environment, where moto depends on it."""
    return next((ROOT / "app" / ".venv" / "lib").glob("python3.*/site-packages/cfnlint/data/schemas"), None)
