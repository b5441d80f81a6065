"""Says what a stack's rollout is doing, and rolls back what nobody moves any more."""

from typing import Any

from ops import holder
from ops.stack import Stack


def describe(stack: Stack) -> dict[str, Any]:
    """What runs, and the `state`.

    `empty` if the stack never came up or was destroyed, `complete`, or an unfinished rollout: `manual` without a
    promotion, `moving`, `held` until somebody promotes again, `abandoned` by a process of this computer that has ended,
    or `overdue`.
    """
    outputs = stack.outputs
    if not outputs:
        return {"stack": stack.name, "state": "empty"}
    about = {
        "stack": stack.name,
        "state": state(stack),
        "artifact": stack.output("artifactDigest"),
        "revision": stack.output("revision"),
        "percent": stack.output("percent"),
    }
    if is_unfinished(outputs):
        about |= {name: outputs[name] for name in ("stableDigest", "stableRevision", "rolloutBy", "rolloutUntil")}
    return about


def state(stack: Stack) -> str:
    if not is_unfinished(stack.outputs):
        return "complete"
    if not stack.outputs.get("rolloutUntil"):
        return "manual"
    if holder.is_overdue(stack.outputs):
        return "overdue"
    if not stack.outputs["rolloutBy"]:
        return "held"
    return "moving" if holder.is_at_work(stack.outputs) else "abandoned"


def is_unfinished(outputs: Any) -> bool:
    return outputs.get("revision") != outputs.get("stableRevision")
