"""Promotes the artifact that one stack runs to another stack, without a build."""

from itertools import pairwise
from typing import Any

import httpx

from ops import archive, holder
from ops.check import check_newest
from ops.engine import UpFailed
from ops.report import say
from ops.rollout import Failed, Held, Rollout, is_unfinished
from ops.stack import ROOT, Stack, UsageError, project_key

ASKED = 5  # times
PROMOTED = ROOT / "build" / "promoted"
"""Where `pulumi up` looks for the archive of an artifact that never ran on its stack."""


def promote(source: Stack, target: Stack, approved: str | None = None) -> dict[str, Any]:
    """Roll the source's artifact out on the target, and give everything back to the stable revision if it is worse.

    Refuses another artifact than the `approved` one, if that is given. Goes on with an unfinished rollout of the
    artifact. Returns the `outcome`: promoted, unchanged, rolled back, not rolled back, failed (with nothing to go back
    to), overtaken (by somebody else) or held; its `reason`, and the `steps`. Raises UsageError before anything has
    changed.
    """
    digest = running(source)
    if approved not in (None, digest):
        raise UsageError(f"{source.title} runs {digest}, but {approved} was approved")
    here = source.output("cloud")
    there = target.outputs.get("cloud") or target.file()["config"].get(project_key("cloud")) or here
    if here != there:
        raise UsageError(f"{source.title} is on {here}, {target.title} on {there}: promote within one cloud")
    if target.outputs.get("stableDigest") == digest and not is_unfinished(target.outputs):
        if wrong := check_newest(target).wrong:
            return {"outcome": "failed", "reason": f"{target.title} runs {digest} already, and {wrong[0]}"}
        return {"outcome": "unchanged", "reason": f"{target.title} runs {digest} already"}
    refuse_if_held(target)
    ran = {release["digest"] for release in target.outputs.get("releases", ())}
    rollout = Rollout(target, digest, None if digest in ran else archive.download(source, PROMOTED))
    return {"artifact": digest} | _run(rollout) | {"steps": rollout.steps}


def _run(rollout: Rollout) -> dict[str, Any]:
    try:
        rollout.run()
    except (Held, UsageError) as reason:
        if not rollout.has_begun:
            raise
        return _hold(rollout, str(reason))
    except (Failed, UpFailed) as reason:
        say(f"failed: {reason}")
        return _give_back(rollout, str(reason))
    except KeyboardInterrupt:
        say(f"interrupted: the same command goes on, `make rollback STACK={rollout.stack.name}` gives everything back")
        raise
    return {"outcome": "promoted", "reason": f"{rollout.stack.title} runs {rollout.digest}"}


def _hold(rollout: Rollout, reason: str) -> dict[str, Any]:
    try:
        rollout.release()
    except (UpFailed, UsageError) as error:
        reason = f"{reason}; then: {error}"
    return {"outcome": "held", "reason": reason, "until": rollout.outputs.get("rolloutUntil", "")}


def _give_back(rollout: Rollout, reason: str) -> dict[str, Any]:
    try:
        if rollout.is_overtaken():
            return {"outcome": "overtaken", "reason": reason}
        given_back = rollout.give_back()
    except (UpFailed, UsageError) as error:
        return {"outcome": "not rolled back", "reason": f"{reason}; then: {error}"}
    if not given_back:
        return {"outcome": "failed", "reason": f"{reason}; nothing ran here before"}
    return {"outcome": "rolled back", "reason": reason}


def running(stack: Stack) -> str:
    """The digest that the stack's outputs and its API agree on. Raises UsageError."""
    digest = stack.output("artifactDigest")
    if is_unfinished(stack.outputs):
        raise UsageError(f"{stack.title} has an unfinished rollout of {digest}: finish it, or roll it back, first")
    url = f"{stack.output('url').rstrip('/')}/health/live"
    try:
        answers = {httpx.get(url, timeout=30).raise_for_status().json()["artifact"] for _ in range(ASKED)}
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"{url} does not say what runs: {' '.join(str(error).split())}") from None
    if answers != {digest}:
        raise UsageError(
            f"{stack.title} has {digest}, but {url} says {', '.join(map(str, answers))}: `pulumi up` first"
        )
    return digest


def refuse_if_held(stack: Stack) -> None:
    """Raises UsageError if another process moves the stack's traffic."""
    if stack.outputs.get("rolloutBy") and holder.is_at_work(stack.outputs):
        by, until = stack.outputs["rolloutBy"], stack.outputs["rolloutUntil"]
        raise UsageError(f"{stack.title}: {by} moves its traffic, until {until} at the latest: wait, or roll it back")


def rollback(stack: Stack, digest: str | None) -> dict[str, Any]:
    """Give all traffic to the stable revision, or after a rollout to the release before it, or to `digest`.

    Raises UsageError if there is no such release, and UpFailed.
    """
    digests = [release["digest"] for release in stack.output("releases")]
    stable = stack.output("stableDigest")
    wanted = digest or (stable if is_unfinished(stack.outputs) else _before(stable, digests))
    if not wanted:
        raise UsageError(f"{stack.title} runs its oldest release: its releases are {', '.join(digests)}")
    if wanted not in {*digests, stable}:
        raise UsageError(f"{wanted} is not among the releases of {stack.title}: {', '.join(digests)}")
    if wanted == stable and not is_unfinished(stack.outputs):
        return {"outcome": "unchanged", "artifact": wanted, "reason": f"{stack.title} runs it already"}
    rollout = Rollout(stack, wanted, None)
    rollout.move(100)
    return {"outcome": "rolled back", "artifact": wanted, "reason": f"{rollout.stack.title} runs {wanted}"}


def _before(digest: str, digests: list[str]) -> str | None:
    """The release before that one; None if it is the oldest."""
    return dict(pairwise(digests)).get(digest)
