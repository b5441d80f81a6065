"""Compares the cloud with what the last deployment left there."""

from ops.engine import QUIET, UpFailed, local, once_unlocked, run
from ops.stack import Stack, UsageError, cli

DRIFTED = ("has drifted", "no changes were expected")
"""What the local clouds and the engine say in the end."""


def has_drifted(stack: Stack) -> bool:
    """Print what differs to stderr. Changes neither the state nor the cloud. Raises UsageError if that is unknown."""
    try:
        if stack.laptop:
            run([*local(stack.laptop.home), "drift", stack.name])
        else:
            options = [*QUIET, "--preview-only", "--expect-no-changes", "--diff", "--stack", stack.name]
            once_unlocked([cli(), "refresh", *options])  # a backend in a bucket locks the stack for it
    except UpFailed as error:
        if any(words in str(error) for words in DRIFTED):
            return True
        raise UsageError(f"{stack.title} cannot be compared with its cloud: {error}") from None
    return False
