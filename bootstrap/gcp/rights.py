"""What a deployer may do on Google Cloud: to apply the stacks, and for `ops`.

From this follow the roles of its account and docs/deployer.md. What a role contains:
https://cloud.google.com/iam/docs/roles-permissions
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi_gcp.projects import IAMMemberConditionArgsDict

ROLES_OF_THE_APP = ("roles/datastore.user",)
"""The roles that the stacks grant on the project."""


@dataclass(frozen=True)
class Right:
    role: str
    purpose: str
    """What docs/deployer.md says that it is for."""
    types: Sequence[str] = ()
    """The types of the stacks' resources that need it, without `gcp:`. Empty for what a command asks."""
    when: str = "always"


RIGHTS = (
    Right("roles/serviceusage.serviceUsageAdmin", "the APIs", ["projects/service:Service"]),
    Right(
        "roles/run.admin",
        "the service, who may call it, the domain mapping",
        ["cloudrunv2/service:Service", "cloudrun/domainMapping:DomainMapping"],
    ),
    Right(
        "roles/datastore.owner",
        "the database, its indexes and its backup schedule",
        ["firestore/database:Database", "firestore/field:Field", "firestore/backupSchedule:BackupSchedule"],
    ),
    Right(
        "roles/secretmanager.admin",
        "the secret, its versions, who may read it",
        [
            "secretmanager/secret:Secret",
            "secretmanager/secretVersion:SecretVersion",
            "secretmanager/secretIamMember:SecretIamMember",
        ],
    ),
    Right(
        "roles/storage.admin",
        "the bucket of the archives; also to read those of the stack that is promoted from",
        ["storage/bucket:Bucket", "storage/bucketObject:BucketObject"],
    ),
    Right("roles/iam.serviceAccountAdmin", "the service's account", ["serviceaccount/account:Account"]),
    Right(
        "roles/iam.serviceAccountUser", "to let Cloud Run act as the service's account", ["cloudrunv2/service:Service"]
    ),
    Right(
        "roles/resourcemanager.projectIamAdmin",
        "the account's role on the database, which is granted on the project with a condition",
        ["projects/iAMMember:IAMMember"],
    ),
    Right(
        "roles/logging.configWriter",
        "log-based metrics, log bucket, sink, exclusion",
        [
            "logging/metric:Metric",
            "logging/projectBucketConfig:ProjectBucketConfig",
            "logging/projectExclusion:ProjectExclusion",
            "logging/projectSink:ProjectSink",
        ],
    ),
    Right(
        "roles/monitoring.editor",
        "dashboard, alert policies, notification channel",
        [
            "monitoring/dashboard:Dashboard",
            "monitoring/alertPolicy:AlertPolicy",
            "monitoring/notificationChannel:NotificationChannel",
        ],
    ),
    Right("roles/dns.admin", "the record", ["dns/recordSet:RecordSet"], when="`domainZone`"),
    Right("roles/logging.viewer", "to judge a rollout by its requests: `logging.logEntries.list`"),
    Right(
        "roles/logging.viewAccessor",
        "the same, of the stack's own log bucket: `logging.views.access`",
        when="`logRetentionDays` other than 30",
    ),
)


def condition(role: str, state_bucket: str) -> IAMMemberConditionArgsDict | None:
    """Keeps a role from giving more than the stacks need: the project's other roles, and the state of all stacks.

    https://cloud.google.com/iam/docs/setting-limits-on-granting-roles
    """
    if role == "roles/resourcemanager.projectIamAdmin":
        roles = ", ".join(f"'{name}'" for name in ROLES_OF_THE_APP)
        granted = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', [])"
        return {"title": "roles-of-the-app", "expression": f"{granted}.hasOnly([{roles}])"}
    if role == "roles/storage.admin":
        bucket = f"projects/_/buckets/{state_bucket}"
        return {"title": "not-the-state", "expression": f"!resource.name.startsWith('{bucket}')"}
    return None
