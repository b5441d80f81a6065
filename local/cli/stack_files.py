"""Reads the plain config from the checkout's stack files, Pulumi.<stack>.yaml.

A stack without a file has the config of its cloud's development stack. The files' secrets, `encryptionsalt`,
`secretsprovider` and backend belong to the real deployment. The laptop has its own.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from local.cli.home import ROOT, LocalError
from local.providers.values import is_object
from ops.names import cloud_of, one_stack, stacks_of, template, with_file
from ops.stack import UsageError, project_key


def known(stacks: Sequence[str]) -> list[str]:
    """Each stack that these names mean, once. Raises LocalError if one of them can be none."""
    there = with_file()
    try:
        return list(dict.fromkeys(found for stack in stacks for found in stacks_of(stack, there)))
    except UsageError as error:
        raise LocalError(str(error)) from None


def one(stack: str) -> str:
    """The stack that the name means. Raises LocalError like `check`, and if it means two."""
    try:
        return check([one_stack(stack, with_file())])[0]
    except UsageError as error:
        raise LocalError(str(error)) from None


def check(stacks: Sequence[str]) -> list[str]:
    """Each stack that these names mean, once. Raises LocalError if one of them can be none, or has a broken file."""
    stacks = known(stacks)
    for stack in stacks:
        plain_config(stack)
    return stacks


def plain_config(stack: str) -> dict[str, Any]:
    """The config without secrets, of the stack's file or else from its cloud's template.

    Raises LocalError, which names the file and the line or key, if it cannot be read.
    """
    path = ROOT / f"Pulumi.{stack}.yaml"
    if (cloud := cloud_of(stack)) and not path.exists():
        return template(plain_config(cloud))
    settings = _read(path)
    if not is_object(settings):
        raise LocalError(f"{path.name} holds {_called(settings)}: it takes keys, such as `config:`")
    config: Any = settings.get("config") or {}
    if not is_object(config):
        raise LocalError(f"{path.name}: config is {_called(config)}: it takes keys, such as `aws:region: us-east-1`")
    keys: list[object] = list(config)
    for key in keys:
        if not isinstance(key, str):
            raise LocalError(f"{path.name}: config has the key {key!r}: keys must be strings, such as `aws:region`")
    try:
        json.dumps(config, default=str)
    except (ValueError, TypeError) as error:
        raise LocalError(f"{path.name}: config cannot be read: {error}") from None
    return {key: value for key, value in config.items() if not (is_object(value) and "secure" in value)}


def artifact(stack: str) -> str:
    """The stack's key `artifact`: `build` unless its file says otherwise."""
    return plain_config(stack).get(project_key("artifact"), "build")


class _Loader(yaml.SafeLoader):
    """Refuses duplicate keys, and names the line of a value that Python cannot represent."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        except (ValueError, LookupError, AttributeError) as error:  # of `!!bool maybe`, `!!int ""`, `!!timestamp x`
            problem = str(error) if isinstance(error, ValueError) else f"invalid value for {node.tag}"
            raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark) from None

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        seen = set[str]()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"duplicate key {key.value}"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return node


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text("utf-8"), _Loader) or {}
    except UnicodeDecodeError as error:
        raise LocalError(f"{path.name} is not UTF-8: byte {error.start} is {error.object[error.start]:#x}") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise LocalError(f"{path.name}{line} cannot be read: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise LocalError(f"{path.name} cannot be read: {' '.join(str(error).split())}") from None
    except OSError as error:
        raise LocalError(f"{path.name} cannot be read: {error.strerror}") from None


def _called(value: object) -> str:
    return "a list" if isinstance(value, list) else f"{value!r}"
