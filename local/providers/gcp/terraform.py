"""The inputs that Google's Terraform provider, the base of Pulumi's, cannot change in place.

terraform.json has them for the types that the project registers. terraform_schemas.py writes it.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from local.providers.gcp.recorded import PLACES

FILE = Path(__file__).with_name("terraform.json")


def replaces(token: str) -> frozenset[str]:
    """The inputs that force a replacement: only its name and place if the file lacks the type."""
    return frozenset(types()[token]["replaces"] if token in types() else {"project", "name", *PLACES})


def in_place(token: str) -> frozenset[str]:
    """The inputs below those of `replaces` that change in place."""
    return frozenset(types().get(token, {}).get("in_place", ()))


@cache
def types() -> dict[str, dict[str, Any]]:
    """{type: {"schemas": [...], "replaces": [...], "in_place": [...]}}. The last may be missing."""
    return json.loads(FILE.read_bytes())["types"]
