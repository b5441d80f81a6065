"""What cannot change in place: held against AWS's own rules for CloudFormation, which cfn-lint carries."""

import json
import subprocess
from unittest.mock import create_autospec

import grpc
import pytest
from pulumi.runtime import proto
from pulumi.runtime.proto import PropertyDiff

from local.cli.home import APP_PYTHON
from local.providers.aws.provider import Aws
from local.providers.aws.recorded import RECORDINGS
from local.providers.gcp.provider import Gcp
from local.providers.sdk import args_type, properties
from local.providers.values import pack
from tests.local.providers.conftest import NOWHERE
from tests.local.providers.test_inputs import AWS

# CloudFormation's name of each type, and what its properties are called in Pulumi where that is not a matter of case.
TYPES: dict[str, tuple[str, dict[str, str]]] = {
    "aws:acm/certificate:Certificate": (
        "CertificateManager::Certificate",
        {"DomainValidationOptions": "validationOptions"},
    ),
    "aws:apigatewayv2/api:Api": ("ApiGatewayV2::Api", {}),
    "aws:apigatewayv2/apiMapping:ApiMapping": ("ApiGatewayV2::ApiMapping", {}),
    "aws:apigatewayv2/domainName:DomainName": ("ApiGatewayV2::DomainName", {}),
    "aws:apigatewayv2/integration:Integration": ("ApiGatewayV2::Integration", {}),
    "aws:apigatewayv2/route:Route": ("ApiGatewayV2::Route", {}),
    "aws:apigatewayv2/stage:Stage": ("ApiGatewayV2::Stage", {"StageName": "name"}),
    "aws:cloudwatch/dashboard:Dashboard": ("CloudWatch::Dashboard", {}),
    "aws:cloudwatch/logGroup:LogGroup": ("Logs::LogGroup", {"LogGroupName": "name"}),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": ("Logs::MetricFilter", {"FilterName": "name"}),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("CloudWatch::Alarm", {"AlarmName": "name"}),
    "aws:dynamodb/table:Table": ("DynamoDB::Table", {"TableName": "name"}),
    "aws:iam/role:Role": ("IAM::Role", {"RoleName": "name"}),
    "aws:iam/rolePolicy:RolePolicy": ("IAM::RolePolicy", {"RoleName": "role", "PolicyName": "name"}),
    "aws:lambda/alias:Alias": ("Lambda::Alias", {}),
    "aws:lambda/function:Function": ("Lambda::Function", {"FunctionName": "name"}),
    "aws:lambda/permission:Permission": ("Lambda::Permission", {"FunctionName": "function"}),
    "aws:route53/record:Record": ("Route53::RecordSet", {"HostedZoneId": "zoneId"}),
    "aws:s3/bucket:Bucket": ("S3::Bucket", {"BucketName": "bucket", "BucketNamePrefix": "bucketPrefix"}),
    "aws:sns/topic:Topic": ("SNS::Topic", {"TopicName": "name"}),
    "aws:sns/topicSubscription:TopicSubscription": ("SNS::Subscription", {"TopicArn": "topic"}),
    "aws:ssm/parameter:Parameter": ("SSM::Parameter", {}),
}
# CloudFormation has no such type.
ALONE = {
    "aws:acm/certificateValidation:CertificateValidation",
    "aws:s3/bucketObjectv2:BucketObjectv2",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
}
# What the provider replaces besides (`ForceNew` in github.com/hashicorp/terraform-provider-aws), since its update or
# CloudFormation's is another, or CloudFormation does not say it in its schema.
BESIDES = {
    "aws:acm/certificate:Certificate": {"validationMethod"},
    "aws:apigatewayv2/apiMapping:ApiMapping": {"apiId"},
    "aws:apigatewayv2/integration:Integration": {"integrationType"},
    "aws:dynamodb/table:Table": {"hashKey"},
    "aws:lambda/permission:Permission": {"qualifier", "statementId"},
    "aws:route53/record:Record": {"name"},
    "aws:ssm/parameter:Parameter": {"dataType"},
}
ASK = """
import json, sys
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as schemas
ask = lambda name: schemas.get_resource_schema("us-east-1", "AWS::" + name).schema["createOnlyProperties"]
print(json.dumps({name: [path.split("/")[2] for path in ask(name)] for name in sys.argv[1:]}))
"""
CONTEXT: grpc.ServicerContext = create_autospec(grpc.ServicerContext)


@pytest.fixture(scope="module")
def cloudformation() -> dict[str, list[str]]:
    command = [APP_PYTHON, "-c", ASK, *(name for name, _ in TYPES.values())]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def test_no_aws_type_is_left_out() -> None:
    assert TYPES.keys() | ALONE == {*AWS, *RECORDINGS}


@pytest.mark.parametrize("token", TYPES)
def test_aws_replaces_what_cannot_change(cloudformation: dict[str, list[str]], token: str) -> None:
    cfn, names = TYPES[token]
    resource = Aws(NOWHERE).resource(token)
    known = properties(args_type(token)).keys() if resource.honours is None else resource.honours
    fixed = {names.get(name, name[0].lower() + name[1:]) for name in cloudformation[cfn]}
    assert resource.replaces == fixed & known | BESIDES.get(token, set())


def test_a_nested_input_may_force_a_replacement() -> None:
    token = "gcp:logging/metric:Metric"

    def diff(old: str, new: str, *more: str) -> proto.DiffResponse:
        olds, news = ({"metricDescriptor": {"labels": [{"key": k} for k in keys]}} for keys in ([old], [new, *more]))
        request = proto.DiffRequest(type=token, name="x", old_inputs=pack(olds), news=pack(news))
        return Gcp(NOWHERE).Diff(request, CONTEXT)

    assert list(diff("a", "b").replaces) == ["metricDescriptor"]
    assert diff("a", "a", "b").detailedDiff["metricDescriptor.labels[1]"].kind == PropertyDiff.ADD_REPLACE
    request = proto.DiffRequest(
        type=token,
        name="x",
        old_inputs=pack({"metricDescriptor": {"unit": "1"}}),
        news=pack({"metricDescriptor": {"unit": "ms"}}),
    )
    assert not Gcp(NOWHERE).Diff(request, CONTEXT).replaces
