"""What a deployer may do on AWS: to apply the stacks, and for `ops`.

From this follow its policies and docs/deployer.md. Actions and their resources:
https://docs.aws.amazon.com/service-authorization/latest/reference/
In resources and conditions, {account} is the account's id, {name} what names of the stacks' resources match, and
{boundary} the ARN of the environment's permissions boundary.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Right:
    purpose: str
    """What docs/deployer.md says that it is for."""
    actions: Sequence[str]
    resources: Sequence[str]
    types: Sequence[str] = ()
    """The types of the stacks' resources that need it, without `aws:`. Empty for what a program or a command asks."""
    when: str = "always"
    conditions: Mapping[str, str] = field(default_factory=dict[str, str])


def _actions(service: str, names: str) -> list[str]:
    return [f"{service}:{name}" for name in names.split()]


FUNCTION = "arn:aws:lambda:*:{account}:function:{name}"
LOG_GROUPS = [
    f"arn:aws:logs:*:{{account}}:log-group:/aws/{kind}/{{name}}{streams}"
    for kind in ("lambda", "vendedlogs")
    for streams in ("", ":*")
]
TABLE = "arn:aws:dynamodb:*:{account}:table/{name}"
PARAMETER = "arn:aws:ssm:*:{account}:parameter/{name}"
ROLE = "arn:aws:iam::{account}:role/{name}"

RIGHTS = (
    Right(
        "the function's role and its policy",
        _actions(
            "iam",
            "GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy DeleteRole TagRole UntagRole ListRoleTags"
            " ListRolePolicies ListAttachedRolePolicies ListInstanceProfilesForRole GetRolePolicy DeleteRolePolicy",
        ),
        [ROLE],
        ["iam/role:Role", "iam/rolePolicy:RolePolicy"],
    ),
    Right(
        "the same; the condition keeps a deployer from making a role that may do more than itself",
        _actions("iam", "CreateRole PutRolePolicy PutRolePermissionsBoundary"),
        [ROLE],
        ["iam/role:Role", "iam/rolePolicy:RolePolicy"],
        conditions={"iam:PermissionsBoundary": "{boundary}"},
    ),
    Right(
        "to give the role to the function",
        ["iam:PassRole"],
        [ROLE],
        ["lambda/function:Function"],
        conditions={"iam:PassedToService": "lambda.amazonaws.com"},
    ),
    Right(
        "the function, its versions, its alias and its permission",
        _actions(
            "lambda",
            "CreateFunction GetFunction GetFunctionConfiguration GetFunctionCodeSigningConfig UpdateFunctionCode"
            " UpdateFunctionConfiguration DeleteFunction PublishVersion ListVersionsByFunction"
            " PutFunctionConcurrency GetFunctionConcurrency DeleteFunctionConcurrency"
            " CreateAlias GetAlias UpdateAlias DeleteAlias AddPermission GetPolicy RemovePermission"
            " TagResource UntagResource ListTags",
        ),
        [FUNCTION, f"{FUNCTION}:*"],
        ["lambda/function:Function", "lambda/alias:Alias", "lambda/permission:Permission"],
    ),
    Right(
        "to see that a new version runs, and to check it before it gets requests",
        ["lambda:InvokeFunction"],
        [FUNCTION, f"{FUNCTION}:*"],
    ),
    Right(
        "to find too large a `maxInstances` in time",
        _actions("servicequotas", "GetServiceQuota GetAWSDefaultServiceQuota"),
        ["*"],
        when="`maxInstances` above 0",
    ),
    Right(
        "the tables",
        _actions(
            "dynamodb",
            "CreateTable DescribeTable UpdateTable DeleteTable DescribeContinuousBackups UpdateContinuousBackups"
            " DescribeTimeToLive TagResource UntagResource ListTagsOfResource",
        ),
        [TABLE],
        ["dynamodb/table:Table"],
    ),
    Right(
        "Momento's key",
        _actions(
            "ssm",
            "PutParameter GetParameter GetParameters DeleteParameter"
            " AddTagsToResource RemoveTagsFromResource ListTagsForResource",
        ),
        [PARAMETER],
        ["ssm/parameter:Parameter"],
    ),
    Right(
        "Momento's key",
        ["ssm:DescribeParameters"],
        ["*"],
        ["ssm/parameter:Parameter"],
    ),
    Right(
        "the bucket of the function's code",
        _actions(
            "s3",
            "CreateBucket DeleteBucket ListBucket ListBucketVersions GetBucketLocation GetBucketAcl GetBucketCORS"
            " GetBucketWebsite GetBucketVersioning GetAccelerateConfiguration GetBucketRequestPayment GetBucketLogging"
            " GetLifecycleConfiguration GetReplicationConfiguration GetEncryptionConfiguration"
            " GetBucketObjectLockConfiguration GetBucketPolicy GetBucketPublicAccessBlock PutBucketPublicAccessBlock"
            " GetBucketTagging PutBucketTagging TagResource UntagResource ListTagsForResource",
        ),
        ["arn:aws:s3:::{name}"],
        ["s3/bucket:Bucket", "s3/bucketPublicAccessBlock:BucketPublicAccessBlock"],
    ),
    Right(
        "the archives in it, also of the stack that is promoted from",
        _actions("s3", "PutObject GetObject DeleteObject DeleteObjectVersion PutObjectTagging GetObjectTagging"),
        ["arn:aws:s3:::{name}/*"],
        ["s3/bucketObjectv2:BucketObjectv2"],
    ),
    Right(
        "the HTTP API, its domain",
        _actions("apigateway", "GET POST PUT PATCH DELETE"),
        [f"arn:aws:apigateway:*::/{path}" for path in ("apis", "apis/*", "domainnames", "domainnames/*", "tags/*")],
        [
            *(f"apigatewayv2/{kind}" for kind in ("api:Api", "integration:Integration", "route:Route", "stage:Stage")),
            *("apigatewayv2/domainName:DomainName", "apigatewayv2/apiMapping:ApiMapping"),
        ],
    ),
    Right(
        "the log groups and the metric filter",
        _actions(
            "logs",
            "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy"
            " PutMetricFilter DescribeMetricFilters DeleteMetricFilter TagResource UntagResource ListTagsForResource",
        ),
        LOG_GROUPS,
        ["cloudwatch/logGroup:LogGroup", "cloudwatch/logMetricFilter:LogMetricFilter"],
    ),
    Right("to judge a rollout by its requests", ["logs:FilterLogEvents"], LOG_GROUPS),
    Right(
        "the access logs, which API Gateway has "
        "[delivered by CloudWatch](https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html)",
        _actions(
            "logs",
            "DescribeLogGroups CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries"
            " PutResourcePolicy DescribeResourcePolicies",
        ),
        ["*"],
        ["apigatewayv2/stage:Stage", "cloudwatch/logGroup:LogGroup"],
    ),
    Right(
        "the alarms",
        _actions("cloudwatch", "PutMetricAlarm DeleteAlarms TagResource UntagResource ListTagsForResource"),
        ["arn:aws:cloudwatch:*:{account}:alarm:{name}"],
        ["cloudwatch/metricAlarm:MetricAlarm"],
    ),
    Right("the alarms", ["cloudwatch:DescribeAlarms"], ["*"], ["cloudwatch/metricAlarm:MetricAlarm"]),
    Right(
        "the dashboard",
        _actions("cloudwatch", "PutDashboard GetDashboard DeleteDashboards"),
        ["arn:aws:cloudwatch::{account}:dashboard/{name}"],
        ["cloudwatch/dashboard:Dashboard"],
    ),
    Right(
        "the topic",
        _actions(
            "sns",
            "CreateTopic GetTopicAttributes SetTopicAttributes DeleteTopic Subscribe"
            " TagResource UntagResource ListTagsForResource",
        ),
        ["arn:aws:sns:*:{account}:{name}"],
        ["sns/topic:Topic"],
        when="`alarmEmail`",
    ),
    Right(
        "its subscription",
        _actions("sns", "Unsubscribe GetSubscriptionAttributes SetSubscriptionAttributes"),
        ["*"],
        ["sns/topicSubscription:TopicSubscription"],
        when="`alarmEmail`",
    ),
    Right("the certificate", ["acm:RequestCertificate"], ["*"], ["acm/certificate:Certificate"], when="`domain`"),
    Right(
        "the certificate",
        _actions(
            "acm",
            "DescribeCertificate DeleteCertificate"
            " AddTagsToCertificate RemoveTagsFromCertificate ListTagsForCertificate",
        ),
        ["arn:aws:acm:*:{account}:certificate/*"],
        ["acm/certificate:Certificate", "acm/certificateValidation:CertificateValidation"],
        when="`domain`",
    ),
    Right(
        "the first domain of an account, for which API Gateway makes "
        "[a role](https://docs.aws.amazon.com/apigateway/latest/developerguide/using-service-linked-roles.html)",
        ["iam:CreateServiceLinkedRole"],
        ["arn:aws:iam::{account}:role/aws-service-role/ops.apigateway.amazonaws.com/*"],
        ["apigatewayv2/domainName:DomainName"],
        when="`domain`",
        conditions={"iam:AWSServiceName": "ops.apigateway.amazonaws.com"},
    ),
    Right(
        "records of the zone",
        _actions("route53", "GetHostedZone ListResourceRecordSets ChangeResourceRecordSets"),
        ["arn:aws:route53:::hostedzone/*"],
        ["route53/record:Record"],
        when="`domainZone`",
    ),
    Right(
        "records of the zone",
        ["route53:GetChange"],
        ["arn:aws:route53:::change/*"],
        ["route53/record:Record"],
        when="`domainZone`",
    ),
)

RESTORE = Right(
    "to [restore](operations.md#restore) a table, of which DynamoDB writes the items in the name of who asks",
    _actions(
        "dynamodb",
        "RestoreTableToPointInTime RestoreTableFromBackup CreateBackup DescribeBackup"
        " GetItem Query Scan PutItem UpdateItem DeleteItem BatchWriteItem",
    ),
    [TABLE, f"{TABLE}/backup/*"],
    when="a person restores, not CI",
)
"""Not part of a deployer's policies: a person restores."""

APP = (
    Right(
        "users and pictures",
        _actions("dynamodb", "BatchGetItem DeleteItem GetItem PutItem Scan"),
        [TABLE],
    ),
    Right("Momento's key", ["ssm:GetParameter"], [PARAMETER]),
    Right("its log", _actions("logs", "CreateLogStream PutLogEvents"), LOG_GROUPS),
    Right("traces", _actions("xray", "PutTraceSegments PutTelemetryRecords"), ["*"], when="`tracing`"),
)
"""The most that a deployer may give to a function's role: its permissions boundary."""
