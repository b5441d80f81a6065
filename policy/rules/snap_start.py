"""SnapStart's snapshots are billed."""

from collections.abc import Iterator

from pulumi_policy import EnforcementLevel

from rules.reading import below, tags
from rules.rule import Resource, resource_rule

# Of a GB-second in us-east-1; Java's snapshots are free: https://aws.amazon.com/lambda/pricing/
SNAPSHOT_PRICE = 0.0000015046  # dollars
MONTH = 30 * 24 * 60 * 60  # seconds


@resource_rule("aws:lambda/function:Function", level=EnforcementLevel.ADVISORY)
def snap_start_is_for_production(function: Resource) -> Iterator[str]:
    """SnapStart, which is billed for each published version as long as it exists, is for production."""
    on = below(function.props, "snapStart").get("applyOn") == "PublishedVersions"
    billed = not (function.props.get("runtime") or "").startswith("java")
    if on and billed and tags(function).get("environment") != "production":
        dollars = (function.props.get("memorySize") or 128) / 1024 * MONTH * SNAPSHOT_PRICE
        price = f"each version costs ${dollars:.2f} a month as long as it exists"
        yield f"snapStart.applyOn is PublishedVersions outside production, and {price}: leave snapStart out"
