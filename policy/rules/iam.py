"""Permissions are exact: named actions on named resources."""

import re
from collections.abc import Iterator

from rules.reading import allowing, has, joined, listed, texts
from rules.rule import Resource, resource_rule

# Actions that AWS grants only on all resources.
ONLY_ON_ALL = {
    # docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
# Log streams have no names before they are created; this is AWS's pattern for all streams of a group:
# docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
STREAMS_OF_ONE_LOG_GROUP = r"arn:[\w-]+:logs:[\w-]+:\d+:log-group:[^*?]+:\*"
MANAGED_WILDCARDS = r"arn:[\w-]+:iam::aws:policy/.*(AdministratorAccess|PowerUserAccess|FullAccess)"
BASIC_ROLES = {"roles/owner", "roles/editor"}


@resource_rule("aws:*")
def policies_name_their_actions(resource: Resource) -> Iterator[str]:
    """Policies allow only named actions."""
    for statement in allowing(resource):
        for action in listed(statement.get("Action")):
            if _is_pattern(action):
                yield f"its policy allows the action {action}: name each action that is called"
        if has(statement, "NotAction"):
            yield f"its policy allows NotAction {joined(statement['NotAction'])}: name what is allowed in Action"


@resource_rule("aws:*")
def policies_name_their_resources(resource: Resource) -> Iterator[str]:
    """Policies allow actions only on named resources, except for actions that AWS grants only on all resources."""
    for statement in allowing(resource):
        forced = ONLY_ON_ALL.issuperset(listed(statement.get("Action")))
        for arn in listed(statement.get("Resource")):
            if _is_pattern(arn) and not (forced and arn == "*") and not re.fullmatch(STREAMS_OF_ONE_LOG_GROUP, arn):
                yield f"its policy allows {joined(statement.get('Action'))} on {arn}: name the resource's own ARN"
        if has(statement, "NotResource"):
            yield f"its policy allows NotResource {joined(statement['NotResource'])}: name what is meant in Resource"


@resource_rule("aws:iam/*")
def no_managed_wildcards(resource: Resource) -> Iterator[str]:
    """AWS's managed administrator policies, which contain wildcards, are not attached."""
    for path, text in texts(resource.props):
        if re.fullmatch(MANAGED_WILDCARDS, text):
            yield f"{path} is {text}: write a policy with only the necessary actions"


@resource_rule("gcp:*")
def no_basic_roles(resource: Resource) -> Iterator[str]:
    """The basic roles owner and editor, which allow nearly everything in a project, are not granted."""
    for path, text in texts(resource.props):
        if text in BASIC_ROLES:
            yield f"{path} is {text}: grant a predefined role on the one resource instead"


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text
