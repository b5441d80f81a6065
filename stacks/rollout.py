"""Plans which revisions get the traffic, from the config and the outputs of the last deployment."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

import pulumi

from stacks.config import PROMOTED, StackConfig
from stacks.last_deployment import Newest
from stacks.traffic import Holder, Release, Traffic, last_holder

KEPT_RELEASES = 3


@dataclass(frozen=True)
class Rollout:
    """A traffic plan from the config and the last outputs. `traffic` completes it with the newest revision."""

    digest: str
    """The digest of the artifact that runs."""
    pinned: Release | None
    """An earlier revision that gets the requests instead of the newest one, which stays unchanged."""
    percent: int
    """The share of the target; 100 if there is no other revision."""
    stable: Release | None
    """The target of the last completed rollout; None on the first deployment."""
    releases: tuple[Release, ...]
    """At most KEPT_RELEASES, newest first: the stable one, those that completed before it, and the newest one."""
    last_deployment: str
    """The id of the last deployment; empty on the first, and after one that failed."""
    newest_deployment: str
    """The id of the deployment, successful or not, that has made the newest revision; empty on the first."""
    holder: Holder

    @classmethod
    def plan(cls, config: StackConfig, given: str | None, before: Mapping[str, Any], newest: Newest) -> "Rollout":
        """Plan a deployment.

        `given` is the digest of the archive to deploy, None if there is none. `before` are the outputs of the last
        successful deployment, and `newest` is the revision that the last one, successful or not, has made. Raises
        pulumi.RunError if the config's artifact never ran here, or if somebody else is rolling out.
        """
        last = before.get("deployment", "")
        if config.artifact == PROMOTED:
            digest, pinned = _promoted(config, before, newest)
            percent, holder = int(before.get("percent", config.rollout)), last_holder(before)
        else:
            _check_holder(config, before)
            digest = given or config.artifact
            pinned = None if given else _known(config, before)
            percent, holder = config.rollout, config.rollout_holder
        releases, stable = _releases(before)
        percent = percent if stable and stable != pinned else 100
        last = last if last == newest.deployment else ""
        return cls(digest, pinned, percent, stable, releases, last, newest.deployment, holder)

    def deployment(self, inputs: str) -> str:
        """The id of this deployment: the last id if the revision's `inputs` are unchanged, else a new one.

        The id is itself an input of the revision. After a failed deployment it is always new, because the provider has
        recorded the failed inputs as applied and would not create a revision from them again. It follows from the
        inputs and the state alone, so that a preview knows it.
        """
        if self.pinned:
            return self.last_deployment
        fingerprint = _short_hash(inputs)
        if self.last_deployment.startswith(f"{fingerprint}-"):
            return self.last_deployment
        return f"{fingerprint}-{_short_hash(self.newest_deployment)}"

    def makes_revision(self, deployment: str) -> bool:
        """Whether the deployment of this id creates a revision."""
        return not self.pinned and deployment != self.newest_deployment

    def is_new(self, revision: str) -> bool:
        """Whether the requests would go to a revision that no deployment has seen running."""
        return not self.pinned and Release(self.digest, revision) not in self.releases

    def traffic(self, newest: str, deployment: str) -> Traffic:
        """The traffic split. `newest` is the revision that the deployment has created, or found unchanged."""
        target, releases = self.pinned, self.releases
        if not target:
            target = Release(self.digest, newest)
            older = (release for release in self._completed if release.digest != self.digest)
            releases = (target, *older)[:KEPT_RELEASES]
        stable = target if self.percent == 100 or not self.stable else self.stable
        percent = 100 if stable == target else self.percent
        return Traffic(target, stable, percent, releases, deployment, self.holder)

    @property
    def _completed(self) -> tuple[Release, ...]:
        """The stable release and those before it. The newer ones were rolled back, or their rollout never finished."""
        if not (stable := self.stable):
            return ()
        return (stable, *[*dropwhile(lambda release: release.digest != stable.digest, self.releases)][1:])


def known_releases(before: Mapping[str, Any]) -> dict[str, Release]:
    """The revisions by which artifacts can run again, by digest."""
    releases, stable = _releases(before)
    # The stable revision wins over a newer one of the same artifact with another configuration.
    return {release.digest: release for release in (*releases, *([stable] if stable else []))}


def _releases(before: Mapping[str, Any]) -> tuple[tuple[Release, ...], Release | None]:
    """The kept releases and the stable one."""
    releases = tuple(Release(**release) for release in before.get("releases", ()))
    return releases, Release(before["stableDigest"], before["stableRevision"]) if releases else None


def _known(config: StackConfig, before: Mapping[str, Any]) -> Release:
    """The revision of the artifact that the config names."""
    known = known_releases(before)
    if config.artifact not in known:
        allowed = f"build, or one of {', '.join(known)}" if known else "build"
        promote = f"`make promote FROM=... TO={config.stack}` brings artifacts of other stacks"
        raise pulumi.RunError(
            f"{_artifact_key(config)} is {config.artifact!r}, which never ran here: it takes {allowed}; {promote}"
        )
    return known[config.artifact]


def _promoted(config: StackConfig, before: Mapping[str, Any], newest: Newest) -> tuple[str, Release | None]:
    """The digest that the outputs name, and its revision if the newest one is another, as after a rollback.

    A deployment that failed has left a newest revision of its own, of the same artifact or of another.
    """
    if not before.get("releases"):
        fix = f"`make promote FROM=... TO={config.stack}`"
        raise pulumi.RunError(f"{_artifact_key(config)} is 'promoted', but nothing ran here yet: {fix}, or set build")
    target = Release(before["artifactDigest"], before["revision"])
    is_newest = newest.revision == target.revision or newest.deployment != before["deployment"]
    return target.digest, None if newest.digest == target.digest and is_newest else target


def _check_holder(config: StackConfig, before: Mapping[str, Any]) -> None:
    """Raises pulumi.RunError if somebody else is rolling out and is not overdue, or if a promotion that has been
    overtaken goes on.
    """
    holder, stack = last_holder(before), config.stack
    if holder.name in (config.rollout_holder.name, config.rollout_after or ""):
        return
    if config.rollout_after:
        by = f"{holder.name} is rolling out" if holder.name else "it was finished or rolled back"
        raise pulumi.RunError(f"stack {stack} is no longer rolled out by {config.rollout_after}: {by}")
    if holder.until > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()):
        raise pulumi.RunError(
            f"stack {stack} is being rolled out by {holder.name}, until {holder.until}: wait, as "
            f"`make status STACK={stack}` shows, or end it with `make rollback STACK={stack}`"
        )


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _artifact_key(config: StackConfig) -> str:
    return f"Pulumi.{config.stack}.yaml: {pulumi.get_project()}:artifact"
