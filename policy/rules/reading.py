"""Helpers to read a resource's inputs, in camelCase. Reading a value that is not known yet raises UnknownValueError."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from pulumi_policy.proxy import UnknownValueError

from rules.rule import Resource


def has(values: Mapping[str, Any], key: str) -> bool:
    """Whether the key is set, even to a value that is not known yet."""
    return key in list(values)


def below(values: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The object at the path; empty if there is none."""
    for name in path:
        values = values.get(name) or {}
    return values


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """All known strings within a value, with their paths (`members[0]`), including those in JSON documents."""
    value = _opened(value)
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key in cast("Mapping[str, Any]", value):
            with suppress(UnknownValueError):
                yield from texts(value[key], f"{path}.{key}".lstrip("."))
    elif isinstance(value, Sequence):
        for index in range(len(cast("Sequence[Any]", value))):
            with suppress(UnknownValueError):
                yield from texts(value[index], f"{path}[{index}]")


def tags(resource: Resource) -> Mapping[str, str]:
    """Tags on AWS, labels on Google Cloud; empty if they are not a mapping."""
    cloud, service, *_ = re.split("[:/]", resource.resource_type)
    name = "tags" if cloud == "aws" else "userLabels" if service == "monitoring" else "labels"
    found = resource.props.get(name)
    return cast("Mapping[str, str]", found) if isinstance(found, Mapping) else {}


def allowing(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """The `Allow` statements of all policy documents of an AWS resource."""
    names = ("policy", "policyDocument", "assumeRolePolicy")
    documents = [resource.props[name] for name in names if has(resource.props, name)]
    documents += [one["policy"] for one in listed(resource.props.get("inlinePolicies")) if has(one, "policy")]
    for document in map(_opened, documents):
        if isinstance(document, Mapping):
            for statement in listed(cast("Mapping[str, Any]", document).get("Statement")):
                if statement.get("Effect") == "Allow":
                    yield statement


def listed(value: Any) -> list[Any]:
    """The value as a list. A policy document may have a single value instead of a list of one, or none at all."""
    if value is None:
        return []
    return [value] if isinstance(value, str | Mapping) else list(value)


def joined(value: Any) -> str:
    return ", ".join(listed(value))


def _opened(value: Any) -> Any:
    """The object or array in a JSON string; any other value unchanged."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        with suppress(ValueError):
            return json.loads(value)
    return value
