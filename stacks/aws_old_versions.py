"""Warns of old versions of the function, since SnapStart's snapshot of each is billed until the version is deleted."""

import pulumi

from stacks.aws_call import call
from stacks.traffic import Traffic

MOST = 50  # the versions to look for, since each takes a call
# Of a GB-second in us-east-1, for Python: https://aws.amazon.com/lambda/pricing/
SNAPSHOT_PRICE = 0.0000015046  # dollars
MONTH = 30 * 24 * 60 * 60  # seconds


async def warn_of_old_versions(stack: str, function: str, traffic: Traffic) -> None:
    """Warn if there are versions that `make prune` would delete, with their number and price.

    The provider cannot list versions. So this asks for one after the other, from the newest one down, until one is
    missing: earlier prunes have deleted those below it, except a few that they had to keep.
    """
    megabytes: list[int] = []
    newest = max((int(revision) for revision in traffic.kept if revision.isdecimal()), default=0)
    for version in range(newest - 1, 0, -1):
        if str(version) in traffic.kept:
            continue
        if len(megabytes) == MOST or not (memory := await _memory(function, version)):
            break
        megabytes.append(memory)
    if megabytes:
        count = f"{len(megabytes)}{' or more' if len(megabytes) == MOST else ''}"
        dollars = sum(megabytes) / 1024 * MONTH * SNAPSHOT_PRICE
        pulumi.log.warn(
            f"old versions of {function}: {count}, for whose snapshots AWS bills up to ${dollars:.2f} a month at the "
            f"price of us-east-1: `make prune STACK={stack}` deletes them"
        )


async def _memory(function: str, version: int) -> int:
    """The version's memory in MB; 0 if it is missing or cannot be read, since a warning must not stop an update."""
    arguments = {"functionName": function, "qualifier": str(version)}
    try:
        found = await call("aws:lambda/getFunction:getFunction", arguments)
        return int(found["memorySize"])
    except Exception:
        return 0
