"""Converts property values between the engine's wire format and plain Python.

The wire format is a protobuf Struct. A map with a signature key is a secret, an asset or an archive, and a fixed
string represents a value that is not known before the update
(https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

type Props = dict[str, Any]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


def is_object(value: Any) -> TypeGuard[Props]:
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


@dataclass(frozen=True)
class Asset:
    """A file or an archive. Two are equal if their content is, which the engine sends as a sha256."""

    archive: bool
    path: str | None
    text: str | None
    sha256: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and (self.archive, self.sha256) == (other.archive, other.sha256)

    def __hash__(self) -> int:
        return hash((self.archive, self.sha256))


def plain(struct: Struct) -> Props:
    """Unwraps secrets, turns whole numbers into ints and assets into `Asset`s, and drops nulls; keeps UNKNOWN."""
    return _plain(json_format.MessageToDict(struct))


def pack(props: Mapping[str, Any]) -> Struct:
    return json_format.ParseDict(dict(props), Struct())


def overlay(struct: Struct, outputs: Mapping[str, Any]) -> Struct:
    """`struct` with `outputs` over it. Properties that are or contain secrets stay secret; None removes a property."""
    old = plain(struct)
    result = Struct()
    result.CopyFrom(struct)
    for name, value in outputs.items():
        if value is None:
            result.fields.pop(name, None)
        elif name not in old or old[name] != value:
            secret = name in old and _SECRET.encode() in struct.fields[name].SerializeToString()
            result.fields[name].CopyFrom(pack({name: seal(value) if secret else value}).fields[name])
    return result


def seal(value: Any) -> Props:
    """The value as a secret, for `pack`."""
    return {_SIGNATURE: _SECRET, "value": value}


def _plain(value: Any) -> Any:
    if is_object(value):
        if _SIGNATURE in value:
            return _signed(value[_SIGNATURE], value)
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if is_list(value):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _signed(signature: str, value: Mapping[str, Any]) -> Any:
    if signature in (_SECRET, _OUTPUT):
        return _plain(value.get("value", UNKNOWN))
    if signature in (_ASSET, _ARCHIVE):
        return Asset(signature == _ARCHIVE, value.get("path"), value.get("text"), value.get("hash", ""))
    return value.get("id", value.get("urn"))
