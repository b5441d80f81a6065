"""Resource types without behaviour. The daemon records their inputs, and outputs like those that a cloud computes.

Any type in the SDKs can be recorded. A `Recording` adds what the SDK does not describe.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_origin

from local.providers import sdk
from local.providers.control import Control
from local.providers.resource import ProviderError, Resource
from local.providers.values import UNKNOWN, Asset, Props, is_list, is_object

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Recording:
    """The id, replacements and outputs of a resource type.

    Strings, including those inside `outputs`, are format strings. Their fields are the inputs, the values that the
    provider adds (account, region, project) and `{unique}`, a random number; in `outputs` also `{id}`.
    """

    identifier: str
    replaces: frozenset[str] = frozenset()
    """As in `Resource`. Google Cloud's types have theirs in terraform.json."""
    outputs: Mapping[str, Any] = NOTHING
    """The computed outputs that `made_up` would get wrong."""
    parent: str | None = None
    """The input that names the parent resource, by its name or its full id."""

    def identify(self, token: str, values: Props) -> str:
        """The id of a new resource. Raises ProviderError if a part of it is missing."""
        short = {self.parent: values[self.parent].rpartition("/")[2]} if self.parent else {}
        try:
            return self.identifier.format_map(values | short)
        except KeyError as missing:
            [name] = missing.args
            raise ProviderError(f"{token} needs a {name}: set {token.partition(':')[0]}:{name}") from None


class RecordedResource(Resource):
    def __init__(self, control: Control, token: str, recording: Recording, surroundings: Props, arn: str = "") -> None:
        """`surroundings` are the values that the provider adds; `arn` is a format string."""
        self.replaces = recording.replaces
        self._control, self._token, self._arn = control, token, arn
        self._recording, self._surroundings = recording, surroundings

    def create(self, inputs: Props) -> str:
        values = {"unique": os.urandom(8).hex()} | self._surroundings | inputs
        values["id"] = identifier = self._recording.identify(self._token, values)
        given = {name: _filled(value, values) for name, value in self._recording.outputs.items()}
        self._record(identifier, inputs, self._made_up(values) | given)
        return identifier

    def read(self, identifier: str, known: Props) -> Props | None:
        found = self._control("GET", "recorded", self._token, identifier)
        return None if found is None else _merged(found["outputs"], found["inputs"])

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        found = self._control("GET", "recorded", self._token, identifier)
        if found is None:
            raise ProviderError(f"{self._token} {identifier} does not exist")
        self._record(identifier, news, found["outputs"])

    def delete(self, identifier: str, known: Props) -> None:
        self._control("DELETE", "recorded", self._token, identifier)

    def planned(self, inputs: Props, olds: Props) -> Props:
        """The objects that mix inputs and outputs: new inputs over old values."""
        return {
            name: dict.fromkeys(value, UNKNOWN) | olds.get(name, {}) | inputs.get(name, {})
            for name, value in self._recording.outputs.items()
            if is_object(value)
        }

    def _record(self, identifier: str, inputs: Props, outputs: Props) -> None:
        body = {"inputs": _without_assets(inputs), "outputs": outputs}
        self._control("PUT", "recorded", self._token, identifier, body=body)

    def _made_up(self, values: Props) -> Props:
        """The outputs that are not inputs, and the ARN, which some types also take as an input."""
        settable = sdk.properties(sdk.args_type(self._token))
        values = {**values, "name": values.get("name", values["unique"])}
        arn = values["id"] if values["id"].startswith("arn:") else self._arn.format_map(values)
        return {
            name: made_up(name, annotation, values["id"], arn)
            for name, annotation in sdk.outputs(self._token).items()
            if name not in settable or name == "arn"
        }


def made_up(name: str, annotation: Any, identifier: str, arn: str) -> Any:
    """A value of the output's type. URLs use the reserved domain `invalid`, so they lead nowhere (RFC 6761, 6.4)."""
    [kind, *_] = sdk.alternatives(annotation)
    if fields := sdk.output_fields(kind):
        return {field: made_up(field, inner, identifier, arn) for field, inner in fields.items()}
    if get_origin(kind) in (Sequence, Mapping):
        return [] if get_origin(kind) is Sequence else {}
    if kind in (bool, int, float):
        return kind()
    match name.lower():
        case end if end.endswith("arn"):
            return arn
        case end if end.endswith(("url", "uri", "endpoint")):
            return f"https://{name}.invalid/{identifier}"
        case end if end.endswith(("time", "date")):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        case _:
            return identifier


def _without_assets(value: Any) -> Any:
    """The value without files, which only the engine compares, by the hashes in its state."""
    if is_object(value):
        return {name: _without_assets(item) for name, item in value.items() if not isinstance(item, Asset)}
    return [_without_assets(item) for item in value] if is_list(value) else value


def _merged(outputs: Props, inputs: Props) -> Props:
    return outputs | {
        name: {**outputs[name], **value} if is_object(value) and is_object(outputs.get(name)) else value
        for name, value in inputs.items()
    }


def _filled(value: Any, values: Props) -> Any:
    if isinstance(value, str):
        return value.format_map(values)
    if is_object(value):
        return {name: _filled(item, values) for name, item in value.items()}
    return [_filled(item, values) for item in value]
