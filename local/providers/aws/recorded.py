"""AWS resource types without behaviour on the laptop.

Ids and outputs come from "Import" and "Outputs" in the real provider's documentation.
"""

from collections.abc import Mapping

from local.providers import sdk
from local.providers.aws.cloudformation import create_only
from local.providers.recorded import Recording

RECORDINGS: Mapping[str, Recording] = {
    "aws:cloudwatch/dashboard:Dashboard": Recording(
        "{dashboardName}",
        frozenset({"dashboardName"}),
        {"dashboardArn": "arn:aws:cloudwatch::{account}:dashboard/{dashboardName}"},
    ),
    "aws:cloudwatch/logGroup:LogGroup": Recording(
        "{name}", frozenset({"name"}), {"arn": "arn:aws:logs:{region}:{account}:log-group:{name}"}
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Recording("{name}", frozenset({"name", "logGroupName"})),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Recording(
        "{name}", frozenset({"name"}), {"arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"}
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Recording("{bucket}", frozenset({"bucket"})),
    "aws:sns/topic:Topic": Recording(
        "arn:aws:sns:{region}:{account}:{name}", frozenset({"name", "fifoTopic"}), {"owner": "{account}"}
    ),
    "aws:sns/topicSubscription:TopicSubscription": Recording(
        "{topic}:{unique}", frozenset({"topic", "protocol", "endpoint"}), {"ownerId": "{account}"}
    ),
    "aws:acm/certificate:Certificate": Recording(
        "arn:aws:acm:{region}:{account}:certificate/{unique}",
        frozenset(
            {
                *("domainName", "validationMethod", "keyAlgorithm", "subjectAlternativeNames"),
                *("certificateAuthorityArn", "validationOptions"),
            }
        ),
        {
            "status": "PENDING_VALIDATION",
            "domainValidationOptions": [
                {
                    "domainName": "{domainName}",
                    "resourceRecordName": "_{unique}.{domainName}.",
                    "resourceRecordType": "CNAME",
                    "resourceRecordValue": "_{unique}.acm-validations.aws.",
                }
            ],
        },
    ),
    "aws:acm/certificateValidation:CertificateValidation": Recording(
        "{unique}", frozenset({"certificateArn", "validationRecordFqdns"})
    ),
    "aws:route53/record:Record": Recording("{zoneId}_{name}_{type}", frozenset({"zoneId", "name"}), {"fqdn": "{name}"}),
    "aws:apigatewayv2/domainName:DomainName": Recording(
        "{domainName}",
        frozenset({"domainName"}),
        {
            "arn": "arn:aws:apigateway:{region}::/domainnames/{domainName}",
            "apiMappingSelectionExpression": "$request.basepath",
            "domainNameConfiguration": {
                "hostedZoneId": "Z1UJRXOUMOOFQ8",
                "targetDomainName": "d-{unique}.execute-api.{region}.amazonaws.com",
            },
        },
    ),
    "aws:apigatewayv2/apiMapping:ApiMapping": Recording("{unique}", frozenset({"apiId", "domainName"})),
}


def recording(token: str) -> Recording:
    """The recording of any type. An unlisted type has its name as its id, and CloudFormation's replacement rules."""
    if token in RECORDINGS:
        return RECORDINGS[token]
    named = sdk.takes_text(sdk.properties(sdk.args_type(token)).get("name"))
    return Recording("{name}" if named else "{unique}", create_only(token))
