"""Tags attribute every resource to its project and stack, in bills and consoles."""

import re
from collections.abc import Iterator

from rules.reading import has, tags
from rules.rule import Resource, resource_rule

NAMES = ("project", "stack", "environment")
ENVIRONMENTS = ("development", "production")
# Types of such stacks that have neither tags nor labels.
UNTAGGABLE = {
    "aws:acm": {"CertificateValidation"},
    "aws:apigatewayv2": {"ApiMapping", "Authorizer", "Deployment", "Integration", "Route"},
    "aws:appautoscaling": {"Policy", "ScheduledAction"},
    "aws:backup": {"Selection", "VaultLockConfiguration", "VaultNotifications", "VaultPolicy"},
    "aws:cloudwatch": {"Dashboard", "LogMetricFilter", "LogResourcePolicy", "LogSubscriptionFilter", "QueryDefinition"},
    "aws:dynamodb": {"ContributorInsights", "ResourcePolicy", "TableItem"},
    "aws:iam": {"RolePolicy", "RolePolicyAttachment"},
    "aws:lambda": {
        *("Alias", "FunctionEventInvokeConfig", "FunctionUrl", "Permission", "ProvisionedConcurrencyConfig"),
        "RuntimeManagementConfig",
    },
    "aws:route53": {"Record"},
    "aws:s3": {"BucketAcl", "BucketOwnershipControls", "BucketPolicy", "BucketPublicAccessBlock", "BucketVersioning"},
    "aws:sns": {"TopicPolicy", "TopicSubscription"},
    "gcp:cloudrun": {"DomainMapping"},
    "gcp:dns": {"RecordSet"},
    "gcp:firestore": {"BackupSchedule", "Database", "Document", "Field", "Index"},
    "gcp:logging": {"Metric", "ProjectBucketConfig", "ProjectExclusion", "ProjectSink"},
    "gcp:monitoring": {"Dashboard"},
    "gcp:projects": {"IAMCustomRole", "Service"},
    "gcp:secretmanager": {"SecretVersion"},
    "gcp:serviceaccount": {"Account"},
    "gcp:storage": {"BucketObject"},
}
GCP_GRANTS = r"gcp:.*I(AM|am)(Binding|Member|Policy)"


@resource_rule("aws:*", "gcp:*")
def what_takes_tags_has_them(resource: Resource) -> Iterator[str]:
    """Resources are tagged or labelled with project, stack and environment."""
    service, name = resource.resource_type.partition("/")[0], resource.resource_type.rpartition(":")[2]
    if name in UNTAGGABLE.get(service, ()) or re.fullmatch(GCP_GRANTS, resource.resource_type):
        return
    given = tags(resource)
    if missing := [name for name in NAMES if not has(given, name)]:
        how = "if its type has none, add it to UNTAGGABLE in policy/rules/tags.py"
        yield f"it lacks {' and '.join(missing)}: add the stack's tags or labels ({how})"
    elif given["environment"] not in ENVIRONMENTS:
        yield f"environment is {given['environment']}: set it to {' or '.join(ENVIRONMENTS)}"
