"""Validates and forwards: `PUT`, `GET` and `DELETE /gcp/resources/{type}/{id}` of the daemon."""

import os

from local.providers import sdk
from local.providers.control import control
from local.providers.gcp.types import TYPES, Type
from local.providers.provider import FakeProvider
from local.providers.resource import ProviderError, Resource, UpdateFailed
from local.providers.values import Asset, Props


class Gcp(FakeProvider):
    package = "gcp"

    def resource(self, token: str) -> Resource:
        if token not in TYPES:
            raise ProviderError(f"the laptop's gcp has no {token}: add it to {GcpResource.file}")
        return GcpResource(token, TYPES[token], self.outputs(token, {}))

    def function(self, token: str, args: Props) -> Props:
        raise ProviderError(f"the laptop's gcp has no function {token}: add it to local/providers/gcp/provider.py")

    def autoname(self, name: str, suffix: str) -> str:
        return super().autoname(name.lower(), suffix)

    def outputs(self, token: str, live: Props) -> Props:
        known = sdk.properties(sdk.args_type(token))
        project = {"project": self.settings["project"]} if "project" in known and "project" in self.settings else {}
        labels = live.get("labels", {})
        return (
            project | live | ({"effectiveLabels": labels, "pulumiLabels": labels} if live and "labels" in known else {})
        )


class GcpResource(Resource):
    file = "local/providers/gcp/types.py"

    def __init__(self, token: str, kind: Type, common: Props) -> None:
        self.replaces, self.autoname, self.defaults = kind.replaces, kind.autoname, kind.defaults
        self.honours = kind.honours
        self._token, self._kind, self._common = token, kind, common

    def create(self, inputs: Props) -> str:
        values = self._common | inputs
        if "{project}" in self._kind.identifier and "project" not in values:
            raise ProviderError(f"{self._token} needs a project: set gcp:project")
        if parent := self._kind.parent:
            values[parent] = values[parent].rpartition("/")[2]
        identifier = self._kind.identifier.format_map({"unique": os.urandom(4).hex(), **values})
        self._put(identifier, inputs)
        return identifier

    def read(self, identifier: str, known: Props) -> Props | None:
        found = control("GET", "gcp", "resources", self._token, identifier)
        if found is None:
            return None
        outputs: Props = found["outputs"]
        return {name: value for name, value in outputs.items() if name != "id"}

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        try:
            self._put(identifier, news)
        except ProviderError as error:
            raise UpdateFailed(str(error)) from None

    def delete(self, identifier: str, known: Props) -> None:
        """Two inputs are not the cloud's: the real provider itself refuses by them, or forgets."""
        settings = {**self.defaults, **known}
        if settings.get("deletionProtection") or settings.get("deletionPolicy") == "PREVENT":
            wanted = "deletionProtection false, deletionPolicy DELETE"
            raise ProviderError(f"cannot delete {identifier}: it is protected; deploy it first with {wanted}")
        if settings.get("deletionPolicy") == "ABANDON":
            return
        control("DELETE", "gcp", "resources", self._token, identifier)

    def _put(self, identifier: str, inputs: Props) -> None:
        files = {name: value.path for name, value in inputs.items() if isinstance(value, Asset)}
        sent = {name: value for name, value in inputs.items() if name not in files}
        control(
            "PUT", "gcp", "resources", self._token, identifier, body={"inputs": self._common | sent, "files": files}
        )
