"""Promotes an artifact that one stack runs, or ran, to another stack, without a build."""

from itertools import dropwhile
from typing import Any

import httpx

from ops import archive, holder
from ops.check import check_newest
from ops.engine import UpFailed
from ops.rollout import Failed, Held, Rollout
from ops.stack import ROOT, Stack, UsageError, one_line, project_key
from ops.status import is_unfinished
from ops.terminal import say

ASKED = 5  # times
PROMOTED = ROOT / "build" / "promoted"
"""Where `pulumi up` looks for the archive of an artifact that never ran on its stack."""


def promotable(source: Stack, target: Stack, artifact: str | None, *, first: bool) -> str:
    """The digest that can be promoted: `artifact`, or what the source runs. Raises UsageError if none can.

    A `first` promotion is one to a stack that never came up.
    """
    if first and target.outputs:
        raise UsageError(
            f"{target.title} runs {target.output('artifactDigest')}, so this is not its first promotion: "
            "deploy a plan, and promote without `first`"
        )
    digest = _chosen(source, artifact)
    here = source.output("cloud")
    there = target.outputs.get("cloud") or target.file()["config"].get(project_key("cloud")) or here
    if here != there:
        raise UsageError(f"{source.title} is on {here}, {target.title} on {there}: promote within one cloud")
    refuse_if_held(target)
    return digest


def _chosen(source: Stack, artifact: str | None) -> str:
    """`artifact`, if the source runs it or is able to go back to it, or what the source runs. Raises UsageError."""
    if artifact is None or (artifact == source.output("artifactDigest") and not is_unfinished(source.outputs)):
        return running(source)
    if artifact not in (completed := _completed(source)):
        raise UsageError(
            f"{artifact} is not among the completed releases of {source.title}: promote one of {', '.join(completed)}"
        )
    return artifact


def promote(source: Stack, target: Stack, digest: str) -> dict[str, Any]:
    """Roll the artifact out on the target, and roll back to the stable revision if it is worse.

    `digest` is what `promotable` has returned. Goes on with an unfinished rollout of it. Returns the `outcome`:
    promoted, unchanged, rolled back, not rolled back, failed (with nothing to go back to), overtaken (by somebody else)
    or held; its `reason`, and the `steps`. Raises UsageError before anything has changed.
    """
    if target.outputs.get("stableDigest") == digest and not is_unfinished(target.outputs):
        if wrong := check_newest(target).wrong:
            return {"outcome": "failed", "reason": f"{target.title} runs {digest} already, and {wrong[0]}"}
        return {"outcome": "unchanged", "reason": f"{target.title} runs {digest} already"}
    ran = {release["digest"] for release in target.outputs.get("releases", ())}
    rollout = Rollout(target, digest, None if digest in ran else archive.download(source, digest, PROMOTED))
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
        say(f"interrupted: the same command goes on, `make rollback STACK={rollout.stack.name}` rolls back")
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
        raise UsageError(f"{url} does not say what runs: {one_line(error)}") from None
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
    digests, (stable, *before) = _digests(stack), _completed(stack)
    wanted = digest or (stable if is_unfinished(stack.outputs) else next(iter(before), None))
    if not wanted:
        raise UsageError(f"{stack.title} runs its oldest release: its releases are {', '.join(digests)}")
    if wanted not in (*digests, stable):
        raise UsageError(f"{wanted} is not among the releases of {stack.title}: {', '.join(digests)}")
    if wanted == stable and not is_unfinished(stack.outputs):
        return {"outcome": "unchanged", "artifact": wanted, "reason": f"{stack.title} runs it already"}
    rollout = Rollout(stack, wanted, None)
    rollout.move(100)
    return {"outcome": "rolled back", "artifact": wanted, "reason": f"{rollout.stack.title} runs {wanted}"}


def _completed(stack: Stack) -> list[str]:
    """The stable release and those before it. The newer ones were rolled back, or their rollout is unfinished."""
    stable = stack.output("stableDigest")
    return [stable, *[*dropwhile(lambda digest: digest != stable, _digests(stack))][1:]]


def _digests(stack: Stack) -> list[str]:
    """Of the releases, newest first."""
    return [release["digest"] for release in stack.output("releases")]
