"""Protects the resources that hold data against deletion by mistake."""

import pulumi

from stacks.config import StackConfig


def protect_data(config: StackConfig) -> pulumi.ResourceOptions:
    """Options that in production make the engine refuse to delete or replace a resource, or to destroy its stack.

    Call it once for a stack: the engine takes a hook's name once.

    `protect` alone is not enough: a destroy may already have deleted other resources when it reaches this one, and its
    error names only a URN. A before-delete hook makes the engine refuse at once, because hooks need the running
    program. The engine prints the hook's name, so the name is the instruction
    (https://www.pulumi.com/docs/iac/concepts/resources/options/hooks/). With `--run-program` the hook itself raises, in
    the preview.
    """
    if not config.protected:
        return pulumi.ResourceOptions()
    fix = f"`pulumi config set environment development -s {config.stack}`, `pulumi up -s {config.stack}`, then destroy"
    refusal = pulumi.ResourceHook(
        f"stack {config.stack} is protected: {fix}", _refuse, pulumi.ResourceHookOptions(on_dry_run=True)
    )
    return pulumi.ResourceOptions(protect=True, hooks=pulumi.ResourceHookBinding(before_delete=[refusal]))


def _refuse(args: pulumi.ResourceHookArgs) -> None:
    raise pulumi.RunError(f"{args.urn} holds a production stack's data")
