"""The schema of resource types, read from the installed Pulumi SDKs so that it cannot go stale."""

import difflib
import importlib
import inspect
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from threading import Lock
from types import NoneType, UnionType
from typing import Any, TypeGuard, Union, get_args, get_origin

from pulumi import Archive as PulumiArchive
from pulumi import Asset as PulumiAsset
from pulumi import Output, _types  # pyright: ignore[reportPrivateUsage] - the only description of the input types
from pulumi.runtime import rpc

from local.providers.resource import ProviderError
from local.providers.values import UNKNOWN, Asset

NAMES: Mapping[Any, str] = {
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    str: "a string",
    list: "a list",
    PulumiAsset: "an asset",
    PulumiArchive: "an archive",
}
importing = Lock()
"""Guards the first use of the SDKs' lazy modules, which is not thread-safe. A running program holds it.

What a program may wait for works without it: functions, and checks of its resources, the types of which it has loaded.
"""


@cache
def args_type(token: str) -> type:
    """The class of a resource type's inputs: "aws:lambda/alias:Alias" -> pulumi_aws.lambda_.alias.AliasArgs.

    Raises ProviderError if the SDK has no such type.
    """
    return _class(token, "InitArgs", "Args")


@cache
def outputs(token: str) -> dict[str, Any]:
    """Pulumi name -> type of every property of a resource, inputs included."""
    return _types.resource_types(_class(token))


def output_fields(annotation: Any) -> dict[str, Any]:
    """Pulumi name -> type of the properties of an output object; {} for any other type."""
    return _types.output_type_types(annotation) if _types.is_output_type(annotation) else {}


def _class(token: str, *suffixes: str) -> type:
    """The class of a resource type, or the one beside it that has the first suffix that there is.

    It is InitArgs where Args is taken, by a property of another type: "aws:s3/bucketServerSideEncryptionConfiguration".
    """
    package, module, _ = token.split(":")
    importlib.import_module(f"pulumi_{package}")
    registered: Any = rpc.get_resource_module(package, module, "")
    if registered is None or token not in registered.mod_info["classes"]:
        raise ProviderError(f"pulumi_{package} has no resource type {token}")
    name: str = registered.mod_info["classes"][token]
    sdk = importlib.import_module(registered.mod_info["fqn"])
    if name not in vars(sdk):
        with importing:
            getattr(sdk, name)
    return next(getattr(sdk, name + suffix) for suffix in suffixes or [""] if hasattr(sdk, name + suffix))


def provider_args(package: str) -> type:
    """The class of a provider's configuration."""
    return importlib.import_module(f"pulumi_{package}.provider").ProviderArgs


@cache
def properties(args: type) -> dict[str, Any]:
    """Pulumi name -> type of every property of an Args class."""
    return _types.input_type_types(args)


@cache
def required(args: type) -> frozenset[str]:
    """The Pulumi names of the properties that have no default."""
    names = _types.input_type_py_to_pulumi_names(args)
    parameters = inspect.signature(args).parameters.values()
    return frozenset(names[p.name] for p in parameters if p.default is inspect.Parameter.empty and p.name in names)


def faults(args: type, inputs: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yields (property path, message) for unknown and missing properties and wrong types, at every level."""
    known = properties(args)
    for name, value in inputs.items():
        if name in known:
            yield from _value_faults(known[name], value, path + name)
        else:
            yield path + name, f"unknown property '{path}{name}'{_hint(name, known)}"
    for name in sorted(required(args) - inputs.keys()):
        yield path + name, f"missing required property '{path}{name}'"


def unknown_names(args: type, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known = properties(args)
    return ((name, f"unknown property '{name}'{_hint(name, known)}") for name in inputs if name not in known)


def alternatives(annotation: Any) -> list[Any]:
    """The value types of an annotation, without the wrappers: Input[Optional[str]] -> [str]."""
    if get_origin(annotation) in (Union, UnionType):
        return [kind for member in get_args(annotation) for kind in alternatives(member)]
    return [] if annotation in (None, NoneType) or get_origin(annotation) in (Awaitable, Output) else [annotation]


def takes_text(annotation: Any) -> bool:
    return str in alternatives(annotation)


def _value_faults(annotation: Any, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if value == UNKNOWN:
        return
    kinds = alternatives(annotation)
    kind = next((kind for kind in kinds if _fits(kind, value)), None)
    if kind is None:
        wanted = " or ".join(dict.fromkeys(_called(kind) for kind in kinds))
        yield path, f"property '{path}' must be {wanted}, not {_called(_kind(value))}"
    elif _types.is_input_type(kind):
        yield from faults(kind, value, f"{path}.")
    elif get_origin(kind) is Sequence:
        for index, item in enumerate(value):
            yield from _value_faults(get_args(kind)[0], item, f"{path}[{index}]")
    elif get_origin(kind) is Mapping:
        for key, item in value.items():
            yield from _value_faults(get_args(kind)[1], item, f"{path}.{key}")


def _fits(kind: Any, value: Any) -> bool:
    if kind is Any:
        return True
    if _types.is_input_type(kind) or get_origin(kind) is Mapping:
        return isinstance(value, dict)
    if get_origin(kind) is Sequence:
        return isinstance(value, list)
    if kind in (PulumiAsset, PulumiArchive):
        return _kind(value) is kind
    if kind is float:
        return type(value) in (int, float)
    if _is_enum(kind):
        return value in [member.value for member in kind]
    return type(value) is kind


def _kind(value: object) -> type:
    if isinstance(value, Asset):
        return PulumiArchive if value.archive else PulumiAsset
    return type(value)


def _is_enum(kind: Any) -> TypeGuard[type[Enum]]:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _called(kind: Any) -> str:
    if get_origin(kind) is Sequence:
        return NAMES[list]
    if _is_enum(kind):
        return "one of " + ", ".join(str(member.value) for member in kind)
    return NAMES.get(kind, "an object")


def _hint(name: str, known: Mapping[str, Any]) -> str:
    camel = name.split("_")[0] + "".join(part.title() for part in name.split("_")[1:])
    close = [camel] if camel in known else difflib.get_close_matches(name, known, 1)
    return f": did you mean '{close[0]}'?" if close else ""
