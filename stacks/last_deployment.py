"""What earlier deployments of this stack have left: its outputs, and its newest revision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi


@dataclass(frozen=True)
class Newest:
    """The newest revision in the state, whether its deployment was successful or not; all empty if there is none."""

    digest: str = ""
    """The digest of its artifact."""
    revision: str = ""
    deployment: str = ""
    """The id of the deployment that created it (`Rollout.deployment`)."""


def last_outputs() -> Mapping[str, Any]:
    """The outputs of this stack's last successful deployment; empty on the first.

    `pulumi.StackReference` reads the same, but as a resource it would be in the state, and every refresh after a
    rollout would report it as drift.
    """
    return pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": _stack()}).value["outputs"]


def last_resources() -> Mapping[str, Any]:
    """The type and the outputs of each resource in the state, by URN."""
    arguments = {"stackName": _stack()}
    return pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", arguments).value["outputs"]


def newest_revision(resources: Mapping[str, Any]) -> Newest:
    """The newest revision, from the function or the service in the state, which a failed update also changes."""
    for resource in resources.values():
        match resource:
            case {"type": "aws:lambda/function:Function", "outputs": outputs}:
                digest = outputs["environment"]["variables"]["ARTIFACT_DIGEST"]
                return Newest(digest, outputs["version"], outputs["description"])
            case {"type": "gcp:cloudrunv2/service:Service", "outputs": outputs}:
                template = outputs["template"]
                variables = {env["name"]: env.get("value", "") for env in template["containers"][0]["envs"]}
                revision = outputs["latestReadyRevision"].rpartition("/")[2]
                return Newest(variables["ARTIFACT_DIGEST"], revision, template["annotations"]["deployment"])
            case _:
                pass
    return Newest()


def _stack() -> str:
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
