"""What a fake provider has to know about one resource type."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from local.providers.values import Props


class ProviderError(Exception):
    """The laptop's cloud cannot do it; the message is one line that says why."""


class UpdateFailed(ProviderError):
    """An update failed after the cloud had taken the inputs. As with the real providers, the state has them then."""


class Resource(ABC):
    """One resource type. Properties have their Pulumi names and plain values, secrets revealed."""

    replaces: frozenset[str] = frozenset()
    """The inputs that cannot change in place, as paths without indexes: nor can what is below or above them."""

    honours: frozenset[str] | None = None
    """The inputs that reach the cloud, as paths without indexes: all that is below a path does. None: all inputs do.

    The provider refuses others, since a change of them would never be applied, and drift of them never be seen.
    """

    only: Mapping[str, str] = MappingProxyType({})
    """For inputs with one value that the laptop's cloud acts on: that value. The provider refuses others."""

    file: str
    """Where the next input or type is to be added."""

    defaults: Mapping[str, Any] = MappingProxyType({})
    """What the cloud sets for inputs that are left out, other than empty values."""

    autoname: str | None = "name"
    """The input that gets a name made of the resource's when it is left out."""

    @abstractmethod
    def create(self, inputs: Props) -> str:
        """Returns the new resource's id."""

    @abstractmethod
    def read(self, identifier: str, known: Props) -> Props | None:
        """What the cloud says: inputs and computed outputs. None if it is gone, or an error that means so.

        `known` are the last outputs, or the inputs of a resource that was just made, or nothing in an import.
        """

    @abstractmethod
    def update(self, identifier: str, olds: Props, news: Props) -> None:
        """From the last outputs to the new inputs."""

    @abstractmethod
    def delete(self, identifier: str, known: Props) -> None: ...

    def planned(self, inputs: Props, olds: Props) -> Props:
        """What a preview shows of objects that have outputs in them. Before a create `olds` is empty."""
        return {}

    def unsettled(self, changed: set[str], news: Props) -> set[str]:
        """The outputs that a preview cannot know when these inputs change."""
        return set()
