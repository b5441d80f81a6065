"""Logs expire. (Google Cloud's log buckets keep them for 30 days by default.)"""

from collections.abc import Iterator

from rules.reading import below, has
from rules.rule import Resource, resource_rule


@resource_rule("aws:cloudwatch/logGroup:LogGroup")
def log_groups_have_a_retention(group: Resource) -> Iterator[str]:
    """Log groups have a retention period."""
    days = group.props.get("retentionInDays")
    if not days:
        yield f"retentionInDays is {int(days or 0)}, which is forever: set a number of days"


@resource_rule("aws:lambda/function:Function")
def functions_log_into_a_group_of_the_stack(function: Resource) -> Iterator[str]:
    """Functions log to a log group of the stack, because one that Lambda creates keeps logs forever."""
    if not has(below(function.props, "loggingConfig"), "logGroup"):
        yield "loggingConfig.logGroup is missing: set it to a log group with retentionInDays"
