"""The interface of a resource type in a fake provider."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from local.providers.values import Props


class ProviderError(Exception):
    """The laptop's cloud cannot do something. The message is one line that says why."""


class UpdateFailed(ProviderError):
    """An update failed after the cloud accepted the inputs. They go into the state, as with the real providers."""


class Resource(ABC):
    """A resource type. Properties have their Pulumi names and plain values, with secrets in plain text."""

    replaces: frozenset[str] = frozenset()
    """The inputs that force a replacement, as paths without indexes. So do changes below or above a path."""

    in_place: frozenset[str] = frozenset()
    """The inputs below those of `replaces` that change in place all the same."""

    honours: frozenset[str] | None = None
    """The inputs that reach the cloud, as paths without indexes, including everything below them. None means all.

    The provider refuses all others, since it could neither apply a change to them nor detect their drift.
    """

    only: Mapping[str, str] = MappingProxyType({})
    """Inputs for which the laptop's cloud supports a single value, and that value. The provider refuses others."""

    file: str
    """The source file to add an input or type to, for error messages."""

    defaults: Mapping[str, Any] = MappingProxyType({})
    """The values that the cloud sets for omitted inputs, unless they are empty."""

    autoname: str | None = "name"
    """The input that gets a generated name when it is omitted."""

    @abstractmethod
    def create(self, inputs: Props) -> str:
        """Returns the new resource's id."""

    @abstractmethod
    def read(self, identifier: str, known: Props) -> Props | None:
        """The inputs and computed outputs in the cloud. If the resource is gone, returns None or raises an error that
        the provider's `is_missing` recognizes.

        `known` is the last outputs, the inputs of a new resource, or empty in an import.
        """

    @abstractmethod
    def update(self, identifier: str, olds: Props, news: Props) -> None:
        """Changes the resource from the last outputs `olds` to the new inputs `news`."""

    @abstractmethod
    def delete(self, identifier: str, known: Props) -> None: ...

    def planned(self, inputs: Props, olds: Props) -> Props:
        """What a preview shows for objects that contain outputs. `olds` is empty before a create."""
        return {}

    def unsettled(self, changed: set[str], news: Props) -> set[str]:
        """The outputs that are unknown in a preview that changes these inputs."""
        return set()
