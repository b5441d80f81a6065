"""Splits the traffic between two revisions of the app, from the config and the outputs of the last deployment.

A revision is a published version of the Lambda function, or a revision of the Cloud Run service.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from stacks.config import StackConfig

KEPT_RELEASES = 3
OUTPUTS = ("artifactDigest", "revision", "stableDigest", "stableRevision", "releases", "deployment")


@dataclass(frozen=True)
class Release:
    """A revision, and the digest of its artifact."""

    digest: str
    revision: str


@dataclass(frozen=True)
class Traffic:
    """`percent` of the requests go to `target`, the rest to `stable`. After a rollout the two are the same."""

    target: Release
    stable: Release
    percent: int
    releases: tuple[Release, ...]
    deployment: str
    """The deployment that created the newest revision (`Rollout.deployment`)."""

    @property
    def kept(self) -> frozenset[str]:
        """The revisions that have traffic, or may get it back."""
        return frozenset(release.revision for release in (self.target, self.stable, *self.releases))

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, which the next deployment reads."""
        releases = [{"digest": release.digest, "revision": release.revision} for release in self.releases]
        target, stable = self.target, self.stable
        values = (target.digest, target.revision, stable.digest, stable.revision, releases, self.deployment)
        return dict(zip(OUTPUTS, values, strict=True))


@dataclass(frozen=True)
class Rollout:
    """A traffic plan from the config and the last outputs. `traffic` completes it with the newest revision."""

    digest: str
    """The digest of the artifact that is built, or that the config pins."""
    pinned: Release | None
    """The revision of the pinned artifact, which gets the requests instead of the newest revision."""
    percent: int
    """The share of the target; 100 if there is no other revision."""
    stable: Release | None
    """The target of the last completed rollout; None on the first deployment."""
    releases: tuple[Release, ...]
    """The last KEPT_RELEASES, newest first, with the stable one among them."""
    last_deployment: str
    """The id of the last deployment; empty on the first, and after one that failed."""

    @classmethod
    def plan(cls, config: StackConfig, built: str | None, before: Mapping[str, Any], tried: str) -> "Rollout":
        """Plan a deployment.

        `built` is the digest of the built artifact, None if the config pins one. `before` are the outputs of the last
        successful deployment, and `tried` is the id of the last one, successful or not. Raises pulumi.RunError if the
        pinned artifact never ran.
        """
        releases = tuple(Release(**release) for release in before.get("releases", ()))
        stable = Release(before["stableDigest"], before["stableRevision"]) if releases else None
        # The stable revision wins over a newer one of the same artifact with another configuration.
        known = {release.digest: release for release in (*releases, *([stable] if stable else []))}
        digest = built or str(config.artifact)
        if not built and digest not in known:
            allowed = f"build, or one of {', '.join(known)}" if known else "build"
            key = f"Pulumi.{config.stack}.yaml: {pulumi.get_project()}:artifact"
            raise pulumi.RunError(f"{key} is {digest!r}, which never ran here: it takes {allowed}")
        pinned = None if built else known[digest]
        percent = config.rollout if stable and stable != pinned else 100
        last = before.get("deployment", "")
        return cls(digest, pinned, percent, stable, releases, last if last == tried else "")

    def deployment(self, inputs: str) -> str:
        """The id of this deployment: the last id if the revision's `inputs` are unchanged, else a new one.

        The id is itself an input of the revision. After a failed deployment it is always new, because the provider has
        recorded the failed inputs as applied and would not create a revision from them again.
        """
        if self.pinned:
            return self.last_deployment
        fingerprint = hashlib.sha256(inputs.encode()).hexdigest()[:12]
        if self.last_deployment.startswith(f"{fingerprint}-"):
            return self.last_deployment
        return f"{fingerprint}-{time.time():.0f}"

    def is_new(self, revision: str) -> bool:
        """Whether the requests would go to a revision that no deployment has seen running."""
        return not self.pinned and Release(self.digest, revision) not in self.releases

    def traffic(self, newest: str, deployment: str) -> Traffic:
        """The traffic split. `newest` is the revision that the deployment has created, or found unchanged."""
        target, releases = self.pinned, self.releases
        if not target:
            target = Release(self.digest, newest)
            # A rollout that was not finished may have given the stable release's artifact another revision.
            older = (self.stable if self.stable and r.digest == self.stable.digest else r for r in releases)
            releases = (target, *(release for release in older if release.digest != self.digest))[:KEPT_RELEASES]
            if self.stable and self.stable.digest not in {release.digest for release in releases}:
                releases = (*releases[: KEPT_RELEASES - 1], self.stable)  # after unfinished rollouts of others
        stable = target if self.percent == 100 or not self.stable else self.stable
        return Traffic(target, stable, 100 if stable == target else self.percent, releases, deployment)


def last_outputs() -> Mapping[str, Any]:
    """The outputs of this stack's last deployment; empty on the first.

    `pulumi.StackReference` reads the same, but as a resource it would be in the state, and every refresh after a
    rollout would report it as drift.
    """
    return pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": _stack()}).value["outputs"]


def last_tried() -> str:
    """The id of the last deployment, successful or not; empty if there is none.

    It is read from the function or the service in the state, which a failed update also changes.
    """
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
    """The stack's outputs about its revisions.

    `traffic` must not resolve before the cloud has applied it, or a failed update would export a split that never was.
    """
    outputs = traffic.apply(lambda traffic: traffic.outputs)
    return {name: outputs[name] for name in OUTPUTS}
