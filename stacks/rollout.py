"""Which version of the app gets which share of the requests: from the config, and from what the stack ran before.

A revision is what the cloud calls it: a published version of a Lambda function, a revision of a Cloud Run service.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from stacks.config import StackConfig

KEPT_RELEASES = 10
OUTPUTS = ("artifactDigest", "revision", "stableDigest", "stableRevision", "releases", "deployment")


@dataclass(frozen=True)
class Release:
    """A revision, and the digest of the artifact that it runs."""

    digest: str
    revision: str


@dataclass(frozen=True)
class Traffic:
    """`percent` of the requests go to `target`, the rest to `stable`; they are the same when the rollout is over."""

    target: Release
    stable: Release
    percent: int
    releases: tuple[Release, ...]
    deployment: str
    """Of the newest revision (`Rollout.deployment`)."""

    @property
    def outputs(self) -> dict[str, Any]:
        """What the stack tells, and what its next deployment reads."""
        releases = [{"digest": release.digest, "revision": release.revision} for release in self.releases]
        target, stable = self.target, self.stable
        values = (target.digest, target.revision, stable.digest, stable.revision, releases, self.deployment)
        return dict(zip(OUTPUTS, values, strict=True))


@dataclass(frozen=True)
class Rollout:
    """What the config wants of the requests, before the newest revision is known."""

    digest: str
    """Of the artifact that is built, or pinned by the config."""
    pinned: Release | None
    """Where the requests go instead of to the newest revision."""
    percent: int
    """How many of them; 100 if there is nowhere else to go."""
    stable: Release | None
    """What got all the requests when a rollout was last over; None on the first deployment."""
    releases: tuple[Release, ...]
    """The last ones, newest first."""
    last_deployment: str
    """The last one; empty on the first, and when it failed."""

    @classmethod
    def plan(cls, config: StackConfig, built: str | None, before: Mapping[str, Any], tried: str) -> "Rollout":
        """From the digest of what was built, None if the config pins one, the outputs of the stack's last deployment
        that succeeded, and the id of the last one that was tried.

        Raises pulumi.RunError if the pinned artifact never ran.
        """
        releases = tuple(Release(**release) for release in before.get("releases", ()))
        stable = Release(before["stableDigest"], before["stableRevision"]) if releases else None
        # The stable revision goes before a newer one that runs the same artifact with another configuration.
        known = {release.digest: release for release in (*releases, *([stable] if stable else []))}
        digest = built or str(config.artifact)
        if not built and digest not in known:
            allowed = f"build, or what ran here: {', '.join(known)}" if known else "build"
            key = f"Pulumi.{config.stack}.yaml: {pulumi.get_project()}:artifact"
            raise pulumi.RunError(f"{key} is {digest!r}, which never ran here: it takes {allowed}")
        pinned = None if built else known[digest]
        percent = config.rollout if stable and stable != pinned else 100
        last = before.get("deployment", "")
        return cls(digest, pinned, percent, stable, releases, last if last == tried else "")

    def deployment(self, inputs: str) -> str:
        """An id for the revision that `inputs` make, and one of them itself. It stays while they do.

        After a deployment that failed there is another id for whatever inputs. The provider has noted those that failed
        as applied, and would not make a revision of them again.
        """
        if self.pinned:
            return self.last_deployment
        fingerprint = hashlib.sha256(inputs.encode()).hexdigest()[:12]
        if self.last_deployment.startswith(f"{fingerprint}-"):
            return self.last_deployment
        return f"{fingerprint}-{time.time():.0f}"

    def is_new(self, revision: str) -> bool:
        """Whether the requests are to go to a revision that no deployment has seen running."""
        return not self.pinned and Release(self.digest, revision) not in self.releases

    def traffic(self, newest: str, deployment: str) -> Traffic:
        """`newest` is the revision that the deployment has made, or found unchanged."""
        target, releases = self.pinned, self.releases
        if not target:
            target = Release(self.digest, newest)
            releases = (target, *(release for release in releases if release.digest != self.digest))[:KEPT_RELEASES]
        stable = target if self.percent == 100 or not self.stable else self.stable
        return Traffic(target, stable, 100 if stable == target else self.percent, releases, deployment)


def last_outputs() -> Mapping[str, Any]:
    """This stack's outputs as its last deployment left them; empty on the first.

    It is what `pulumi.StackReference` reads. As a resource, that one would be part of the state, and every refresh
    after a rollout would call it drift.
    """
    return pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": _stack()}).value["outputs"]


def last_tried() -> str:
    """The id of the last deployment, from the function or the service in the state, which a failed update changes, too;
    empty if there is none."""
    arguments = {"stackName": _stack()}
    resources = pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", arguments).value["outputs"]
    for resource in resources.values():
        match resource:
            case {"type": "aws:lambda/function:Function", "outputs": {"description": str(tried)}}:
                return tried
            case {"type": "gcp:cloudrunv2/service:Service", "outputs": {"template": {"annotations": annotations}}}:
                return annotations.get("deployment", "")
            case _:
                pass
    return ""


def _stack() -> str:
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"


def exports(traffic: pulumi.Output[Traffic]) -> dict[str, pulumi.Output[Any]]:
    """The stack's outputs about its revisions. `traffic` must not be known before the cloud has it so."""
    outputs = traffic.apply(lambda traffic: traffic.outputs)
    return {name: outputs[name] for name in OUTPUTS}
