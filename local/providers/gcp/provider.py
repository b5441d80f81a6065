"""Finds Google Cloud resource types: those in `TYPES` have behaviour, in the daemon; all others are recorded."""

import os

from local.providers import sdk
from local.providers.control import Control
from local.providers.gcp import terraform
from local.providers.gcp.recorded import PLACES, recording
from local.providers.gcp.types import TYPES, Type
from local.providers.provider import FakeProvider
from local.providers.recorded import RecordedResource
from local.providers.resource import ProviderError, Resource, UpdateFailed
from local.providers.values import Asset, Props


class Gcp(FakeProvider):
    package = "gcp"

    def resource(self, token: str) -> Resource:
        resource = self._resource(token)
        resource.replaces, resource.in_place = terraform.replaces(token), terraform.in_place(token)
        return resource

    def _resource(self, token: str) -> Resource:
        if token in TYPES:
            return GcpResource(self.control, token, TYPES[token], self.outputs(token, {}))
        kind = EnabledApi if token == "gcp:projects/service:Service" else RecordedResource
        return kind(self.control, token, recording(token), dict.fromkeys(PLACES, "global") | self.settings)

    def function(self, token: str, args: Props) -> Props:
        if token == "gcp:storage/getProjectServiceAccount:getProjectServiceAccount":
            email = "service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
            return {**args, "id": email, "emailAddress": email, "member": f"serviceAccount:{email}"}
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


class EnabledApi(RecordedResource):
    def delete(self, identifier: str, known: Props) -> None:
        """Leaves the API enabled without `disableOnDestroy`, since other stacks of the project may use it."""
        if known.get("disableOnDestroy"):
            super().delete(identifier, known)


class GcpResource(Resource):
    """A resource in the daemon, through `/gcp/resources/{type}/{id}` of its control API."""

    file = "local/providers/gcp/types.py"

    def __init__(self, control: Control, token: str, type: Type, common: Props) -> None:
        self.defaults, self.honours = type.defaults, type.honours
        self._control = control
        self._token, self._type, self._common = token, type, common

    def create(self, inputs: Props) -> str:
        identifier = self._type.identify(self._token, {"unique": os.urandom(4).hex(), **self._common, **inputs})
        self._put(identifier, inputs)
        return identifier

    def read(self, identifier: str, known: Props) -> Props | None:
        found = self._control("GET", "gcp", "resources", self._token, identifier)
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
        self._control("DELETE", "gcp", "resources", self._token, identifier)

    def _put(self, identifier: str, inputs: Props) -> None:
        files = {name: value.path for name, value in inputs.items() if isinstance(value, Asset)}
        sent = {name: value for name, value in inputs.items() if name not in files}
        self._control(
            "PUT", "gcp", "resources", self._token, identifier, body={"inputs": self._common | sent, "files": files}
        )
