"""What must outlive a mistake: the options of the resources that hold data."""

import pulumi

from stacks.config import StackConfig


def protect_data(config: StackConfig) -> pulumi.ResourceOptions:
    """In production the engine neither deletes nor replaces the resource, and refuses `pulumi destroy` of its stack.

    `protect` alone is not enough: a destroy may come to the resource when others are gone already, and names a URN
    then. With a delete hook the engine refuses at once, for want of the running program, and prints the hook's name,
    which therefore says what to do (https://www.pulumi.com/docs/iac/concepts/resources/options/hooks/). With
    `--run-program` it gets as far as the hook itself, in the preview.
    """
    if not config.protected:
        return pulumi.ResourceOptions()
    way = f"`pulumi config set environment development -s {config.stack}`, `pulumi up -s {config.stack}`, then destroy"
    refusal = pulumi.ResourceHook(
        f"stack {config.stack} is protected: {way}", _refuse, pulumi.ResourceHookOptions(on_dry_run=True)
    )
    return pulumi.ResourceOptions(protect=True, hooks=pulumi.ResourceHookBinding(before_delete=[refusal]))


def _refuse(args: pulumi.ResourceHookArgs) -> None:
    raise pulumi.RunError(f"{args.urn} holds a production stack's data")
