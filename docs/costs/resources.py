"""The types of resources for which the table has no dollars. A type that is nowhere fails a test."""

UNPRICED = {
    "aws:ssm/parameter:Parameter": ("key", "free"),
    "gcp:monitoring/alertPolicy:AlertPolicy": ("alarms", "free"),
    "gcp:monitoring/dashboard:Dashboard": ("dashboard", "free"),
    "momento:index:Cache": ("Momento", "ask"),
}
"""Their row, and what it says instead."""

UNBILLED = {
    "aws:acm/certificate:Certificate",
    "aws:acm/certificateValidation:CertificateValidation",
    "aws:apigatewayv2/apiMapping:ApiMapping",
    "aws:apigatewayv2/domainName:DomainName",
    "aws:apigatewayv2/integration:Integration",
    "aws:apigatewayv2/route:Route",
    "aws:apigatewayv2/stage:Stage",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:lambda/alias:Alias",
    "aws:lambda/permission:Permission",
    "aws:route53/record:Record",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:sns/topic:Topic",
    "aws:sns/topicSubscription:TopicSubscription",
    "better-together:stacks:AwsStack",
    "better-together:stacks:GcpStack",
    "gcp:cloudrun/domainMapping:DomainMapping",
    "gcp:dns/recordSet:RecordSet",
    "gcp:firestore/field:Field",
    "gcp:logging/projectExclusion:ProjectExclusion",
    "gcp:logging/projectSink:ProjectSink",
    "gcp:monitoring/notificationChannel:NotificationChannel",
    "gcp:projects/iAMMember:IAMMember",
    "gcp:projects/service:Service",
    "gcp:secretmanager/secret:Secret",
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    "gcp:serviceaccount/account:Account",
    "gcp:storage/bucket:Bucket",
}
"""They have no price of their own, or none that ordinary use reaches: docs/costs.md says which."""
