"""Lambda's published versions, where moto's differ from AWS's.

A version's number is never used again, a version that an alias leads to cannot be deleted, versions are listed in
pages, and each says whether SnapStart is on (https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html).
"""

import copy
import json
from collections import Counter
from typing import Any, cast
from urllib.parse import unquote

from moto.awslambda import models
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.responses import LambdaResponse

PAGE = 50  # versions: https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html


class VersionInUse(LambdaClientError):
    code = 409

    def __init__(self, aliases: list[str]) -> None:
        reason = f"Unable to delete version because the following aliases reference it: [{', '.join(aliases)}]"
        super().__init__("ResourceConflictException", reason)


class Function(models.LambdaFunction):
    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        super().__init__(account_id, spec, region, version)
        self.snap_start: dict[str, str] = spec.get("SnapStart") or {"ApplyOn": "None"}

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        self.snap_start = config_updates.get("SnapStart", self.snap_start)
        return super().update_configuration(config_updates)

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        has_snapshot = self.snap_start["ApplyOn"] == "PublishedVersions" and self.version != "$LATEST"
        status = {"OptimizationStatus": "On" if has_snapshot else "Off"}
        return super().get_configuration(on_create) | {"SnapStart": self.snap_start | status}


class Storage(models.LambdaStorage):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._published = Counter[str]()
        """How many versions each function has had, including those of a deleted function of the same name."""

    def publish_version(self, name_or_arn: str, description: str = "") -> models.LambdaFunction:
        latest = self.get_function_by_name_or_arn_forbid_qualifier(name_or_arn)
        versions = self._functions[latest.function_name]["versions"]
        if versions and not latest.code_or_config_updated:
            return versions[-1]
        latest.code_or_config_updated = False
        self._published[latest.function_name] += 1
        version = copy.copy(latest)
        version.set_version(self._published[latest.function_name])
        version.description = description or latest.description
        versions.append(version)
        self._arns[version.function_arn] = version
        return version

    def del_function(self, name_or_arn: str, qualifier: str | None = None) -> None:
        if qualifier and (
            aliases := [one.name for one in self.list_aliases(name_or_arn) if qualifier in weights_of(one)]
        ):
            raise VersionInUse(aliases)
        super().del_function(name_or_arn, qualifier)


def weights_of(alias: models.LambdaAlias) -> dict[str, float]:
    """The share of each version that the alias leads to; they add up to 1."""
    routing = cast(dict[str, dict[str, float]], alias.routing_config or {})  # moto says str
    additional = routing.get("AdditionalVersionWeights", {})
    return {alias.function_version: 1 - sum(additional.values()), **additional}


class Response(LambdaResponse):
    def list_versions_by_function(self) -> str:
        """Raises UnknownFunctionException."""
        name = unquote(self.path.split("/")[-2])
        self.backend.get_function(name)
        versions = list(self.backend.list_versions_by_function(name))
        begin = int(self._get_param("Marker", 0))
        end = begin + min(int(self._get_param("MaxItems", PAGE)), PAGE)
        more = {"NextMarker": str(end)} if end < len(versions) else {}
        return json.dumps({"Versions": [version.get_configuration() for version in versions[begin:end]], **more})


def replace_motos() -> None:
    """moto finds these by their names."""
    listing = "list_versions_by_function"
    for owner, name, ours in (
        (models, "LambdaFunction", Function),
        (models, "LambdaStorage", Storage),
        (LambdaResponse, listing, getattr(Response, listing)),
    ):
        setattr(owner, name, ours)
