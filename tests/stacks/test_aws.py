"""Properties of the AWS stack that matter to security, data and first deployments. Its snapshot has all others."""

import base64
import hashlib
import json
from typing import Any

from local.providers.values import Asset
from stacks.artifact import Artifact
from tests.stacks.deployment import Deployment, deploy


def statements(stack: Deployment) -> list[dict[str, Any]]:
    return json.loads(stack.inputs("RolePolicy")["policy"])["Statement"]


def test_the_role_may_reach_nothing_but_its_own(aws: Deployment) -> None:
    """tests/e2e/test_least_privilege.py shows that each action on these is needed."""
    assert {statement["Effect"] for statement in statements(aws)} == {"Allow"}
    assert [statement["Resource"] for statement in statements(aws)] == [
        "arn:test:users",
        "arn:test:pictures",
        "arn:test:momento-api-key",
        "arn:test:function:*",
    ]


def test_only_lambda_may_take_the_role(aws: Deployment) -> None:
    [trust] = json.loads(aws.inputs("role:Role")["assumeRolePolicy"])["Statement"]
    assert trust == {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    assert "managedPolicyArns" not in aws.inputs("role:Role")


def test_the_function_runs_the_artifact_on_its_published_version(aws: Deployment, artifact: Artifact) -> None:
    function = aws.inputs("lambda/function:Function")
    assert function["publish"] is True
    archive = aws.inputs("BucketObjectv2")
    assert isinstance(archive["source"], Asset)
    assert (archive["source"].archive, archive["source"].path) == (False, str(artifact.zip))
    assert archive["key"] == f"{artifact.digest.removeprefix('sha256:')}.zip"
    assert (
        (function["s3Bucket"], function["s3Key"])
        == (archive["bucket"], archive["key"])
        == ("source-bucket", archive["key"])
    )
    digest = hashlib.sha256(artifact.zip.read_bytes()).digest()
    assert function["codeSha256"] == base64.b64encode(digest).decode()
    assert aws.inputs("Alias") == {"name": "live", "functionName": "better-together-aws", "functionVersion": "7"}
    assert aws.outputs["revision"] == "7"


def test_snap_start_is_on_where_the_config_says(aws: Deployment) -> None:
    """The provider turns it off when the property is left out."""
    assert "snapStart" not in aws.inputs("lambda/function:Function")
    on = deploy("aws", {"better-together:snapStart": "true"}).inputs("lambda/function:Function")
    assert on["snapStart"] == {"applyOn": "PublishedVersions"}


def test_nobody_but_the_account_reaches_the_archive(aws: Deployment) -> None:
    assert aws.inputs("BucketPublicAccessBlock") == {
        "bucket": "source-bucket",
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert aws.inputs("Bucket")["forceDestroy"] is True


def test_the_function_is_made_after_its_rights_and_its_log_group(aws: Deployment) -> None:
    needs = aws.one("lambda/function:Function").needs
    assert {"aws:iam/rolePolicy:RolePolicy::function", "aws:cloudwatch/logGroup:LogGroup::function"} <= needs
    logging = aws.inputs("lambda/function:Function")["loggingConfig"]
    assert logging == {"logFormat": "Text", "logGroup": aws.inputs("LogGroup", "function")["name"]}


def test_a_version_is_described_by_the_deployment_that_made_it(aws: Deployment) -> None:
    assert aws.inputs("lambda/function:Function")["description"] == aws.outputs["deployment"]


def test_no_log_is_kept_for_ever(aws: Deployment) -> None:
    groups = [r.inputs for r in aws.resources if r.type.endswith("LogGroup")]
    assert groups
    assert all(group["retentionInDays"] for group in groups)


def test_the_key_is_encrypted_and_a_new_one_makes_a_new_version(aws: Deployment) -> None:
    parameter = aws.inputs("Parameter")
    assert parameter["type"] == "SecureString"
    assert parameter["value"] == "the app's key"
    variables = aws.inputs("lambda/function:Function")["environment"]["variables"]
    assert variables["MOMENTO_API_KEY_PARAMETER"] == f"{parameter['name']}:7"


def test_the_api_leads_to_the_alias_and_alone_may_invoke_it(aws: Deployment) -> None:
    assert aws.inputs("Integration")["integrationUri"] == "arn:test:invoke:live"
    assert aws.inputs("Route")["target"] == "integrations/live-id"
    assert aws.inputs("Permission") == {
        "action": "lambda:InvokeFunction",
        "function": "better-together-aws",
        "qualifier": "live",
        "principal": "apigateway.amazonaws.com",
        "sourceArn": "arn:test:execute-api:api/*/$default",
    }
    assert aws.outputs["url"] == "https://api.execute-api.test"


def test_the_front_door_lets_in_what_the_config_says() -> None:
    stack = deploy("aws", {"better-together:throttleRate": "7", "better-together:throttleBurst": "9"})
    assert stack.inputs("Stage")["defaultRouteSettings"] == {"throttlingRateLimit": 7, "throttlingBurstLimit": 9}


def test_requests_are_logged_without_what_they_carry(aws: Deployment) -> None:
    settings = aws.inputs("Stage")["accessLogSettings"]
    assert settings["destinationArn"] == "arn:test:requests"
    fields = json.loads(settings["format"]).values()
    assert "$context.requestId" in fields
    assert all(field.startswith("$context.") for field in fields)
    assert not [field for field in fields if "authorizer" in field or "header" in field.lower()]
