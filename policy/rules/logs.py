"""Logs end one day. (Google Cloud's log buckets do by default, after 30 days.)"""

from collections.abc import Iterator

from rules.reading import below, has
from rules.rule import Resource, resource_rule


@resource_rule("aws:cloudwatch/logGroup:LogGroup")
def log_groups_have_a_retention(group: Resource) -> Iterator[str]:
    """Log groups say how long they keep what they get."""
    days = group.props.get("retentionInDays")
    if not days:
        yield f"retentionInDays is {int(days or 0)}, which is for ever: give a number of days"


@resource_rule("aws:lambda/function:Function")
def functions_log_into_a_group_of_the_stack(function: Resource) -> Iterator[str]:
    """The log group that Lambda makes for a function keeps its logs for ever."""
    if not has(below(function.props, "loggingConfig"), "logGroup"):
        yield "loggingConfig.logGroup is missing: give it a log group that has retentionInDays"
