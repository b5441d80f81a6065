"""Names resources for people."""

import re


def resource(urn: str) -> str:
    """The resource's type, without its module's file, and its name."""
    *_, types, name = urn.split("::")
    return f"{re.sub('/[^:]*', '', types.rpartition('$')[2])} {name}"
