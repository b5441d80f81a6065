"""Deploys sealed plans."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ops import engine
from ops.sealed_plan import SealedPlan
from ops.stack import Stack, UsageError
from ops.terminal import say


class Moved(UsageError):
    """What a plan depends on has changed since it was made; nothing has been deployed. The message has a line for each
    change.
    """


def deploy(plans: Sequence[SealedPlan], home: Path) -> dict[str, Any]:
    """Bring the stacks to what their plans say, one after the other.

    Plans all stacks again first. Raises Moved before anything has changed, and engine.UpFailed when a stack fails.
    """
    stacks = [Stack.to_plan(plan.stack, home) for plan in plans]
    moved = [
        f"{stack.name}: {change}"
        for stack, plan in zip(stacks, plans, strict=True)
        for change in plan.moved_to(SealedPlan.make(stack))
    ]
    if moved:
        raise Moved("\n".join([*moved, "nothing was deployed: plan again, and have it approved"]))
    for stack, plan in zip(stacks, plans, strict=True):
        engine.up(stack, {}, plan.plan)
        say(f"{stack.name}: deployed {plan.plan.artifact}")
    return {"deployed": [plan.stack for plan in plans]}
