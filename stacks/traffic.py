"""The traffic split between two revisions of the app, as the stack's outputs have it.

A revision is a published version of the Lambda function, or a revision of the Cloud Run service.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

OUTPUTS = (
    *("artifactDigest", "revision", "stableDigest", "stableRevision", "percent", "releases", "deployment"),
    *("rolloutBy", "rolloutUntil"),
)


@dataclass(frozen=True)
class Release:
    """A revision, and the digest of its artifact."""

    digest: str
    revision: str


@dataclass(frozen=True)
class Holder:
    """Who is rolling out, such as `ann@host:1234`, and the UTC time by which they will have moved on.

    A rollout that is held has no name, and the time by which somebody must go on.
    """

    name: str
    until: str
    """Such as `2026-11-26T16:00:00Z`."""


NOBODY = Holder("", "")


def last_holder(before: Mapping[str, Any]) -> Holder:
    """The holder in the outputs of the last deployment, NOBODY unless its rollout is unfinished."""
    return Holder(before.get("rolloutBy", ""), before.get("rolloutUntil", ""))


@dataclass(frozen=True)
class Traffic:
    """`percent` of the requests go to `target`, the rest to `stable`. After a rollout the two are the same."""

    target: Release
    stable: Release
    percent: int
    releases: tuple[Release, ...]
    deployment: str
    """The deployment that created the newest revision (`Rollout.deployment`)."""
    holder: Holder = NOBODY

    @property
    def is_unfinished(self) -> bool:
        return self.target != self.stable

    @property
    def kept(self) -> frozenset[str]:
        """The revisions that have traffic, or may get it back."""
        return frozenset(release.revision for release in (self.target, self.stable, *self.releases))

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, which the next deployment reads."""
        releases = [{"digest": release.digest, "revision": release.revision} for release in self.releases]
        target, stable = self.target, self.stable
        split = (target.digest, target.revision, stable.digest, stable.revision, self.percent)
        return dict(zip(OUTPUTS, (*split, releases, self.deployment, *self._held), strict=True))

    @property
    def _held(self) -> tuple[str, str]:
        holder = self.holder if self.is_unfinished else NOBODY
        return holder.name, holder.until


def exports(traffic: pulumi.Output[Traffic]) -> dict[str, pulumi.Output[Any]]:
    """The stack's outputs about its revisions.

    `traffic` must not resolve before the cloud has applied it, or a failed update would export a split that never was.
    """
    outputs = traffic.apply(lambda traffic: traffic.outputs)
    return {name: outputs[name] for name in OUTPUTS}
