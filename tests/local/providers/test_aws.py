"""The fake aws provider under the real engine: create, no change, update, drift, replace, import, destroy."""

import base64
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]
from pulumi_aws import apigatewayv2, cloudwatch, dynamodb, get_caller_identity, iam, lambda_, s3, ssm

from tests.local.providers.conftest import Aws, Engine, Program, ask

LAMBDA_MAY = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
NOTHING = {"Effect": "Deny", "Action": "*", "Resource": "*"}
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:api"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def archive(path: Path, text: str = "1") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("api.py", f"def handler(event, context): return {text!r}")
    return path


@pytest.fixture
def code(tmp_path: Path) -> Path:
    return archive(tmp_path / "code.zip")


def site(code: Path, *, message: str = "hello", days: int = 7, share: float = 0, key: str = "hunter2") -> Program:
    """Every type that the stack uses. Version 1 of the function gets `share` of the traffic."""

    def program() -> None:
        tags = {"message": message}
        table = dynamodb.Table(
            "users",
            attributes=[{"name": "id", "type": "S"}],
            hash_key="id",
            billing_mode="PAY_PER_REQUEST",
            point_in_time_recovery={"enabled": True},
            tags=tags,
        )
        logs = cloudwatch.LogGroup("logs", name="/aws/lambda/api", retention_in_days=days, tags=tags)
        parameter = ssm.Parameter("key", name="/api/key", type="SecureString", value=pulumi.Output.secret(key))
        role = iam.Role("role", name="api", assume_role_policy=policy(LAMBDA_MAY), description=message, tags=tags)
        read = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}
        iam.RolePolicy("inline", name="inline", role=role.name, policy=policy(read))
        function = lambda_.Function(
            "api",
            name="api",
            role=role.arn,
            runtime="python3.13",
            handler="api.handler",
            code=pulumi.FileArchive(str(code)),
            publish=True,
            environment={"variables": {"MESSAGE": message, "TABLE": table.name, "KEY": parameter.value}},
            logging_config={"log_format": "Text", "log_group": logs.name},
            snap_start={"apply_on": "PublishedVersions"},
            tags=tags,
        )
        alias = lambda_.Alias(
            "live",
            name="live",
            function_name=function.name,
            function_version=function.version,
            routing_config={"additional_version_weights": {"1": share}} if share else None,
        )
        api = apigatewayv2.Api("api", name="api", protocol_type="HTTP", description=message, tags=tags)
        integration = apigatewayv2.Integration(
            "live",
            api_id=api.id,
            integration_type="AWS_PROXY",
            integration_uri=alias.invoke_arn,
            payload_format_version="2.0",
            timeout_milliseconds=len(message) * 1000,
        )
        target = pulumi.Output.concat("integrations/", integration.id)
        apigatewayv2.Route("default", api_id=api.id, route_key="$default", target=target)
        apigatewayv2.Stage(
            "default",
            api_id=api.id,
            name="$default",
            auto_deploy=True,
            description=message,
            default_route_settings={"throttling_rate_limit": 100, "throttling_burst_limit": len(message)},
        )
        lambda_.Permission(
            "api",
            action="lambda:InvokeFunction",
            function=function.name,
            qualifier=alias.name,
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),
        )
        pulumi.export("url", api.api_endpoint)
        pulumi.export("version", function.version)
        pulumi.export("qualified", function.qualified_arn)
        pulumi.export("invoke", alias.invoke_arn)
        pulumi.export("table", table.name)
        pulumi.export("tableArn", table.arn)
        pulumi.export("account", get_caller_identity().account_id)

    return program


@pytest.mark.prove
def test_a_life(engine: Engine, aws: Aws, code: Path, tmp_path: Path) -> None:
    def alias() -> dict[str, Any]:
        return aws("lambda").get_alias(FunctionName="api", Name="live")

    assert engine.up(site(code)) == {"create": 13}
    assert engine.output("url").startswith("http://127.0.0.1:")
    assert engine.output("version") == "1"
    assert engine.output("qualified") == f"{ARN}:1"
    assert engine.output("invoke").endswith(f":lambda:path/2015-03-31/functions/{ARN}:live/invocations")
    assert engine.output("account") == "123456789012"
    assert not engine.tells("hunter2")
    assert aws("ssm").get_parameter(Name="/api/key", WithDecryption=True)["Parameter"]["Value"] == "hunter2"
    assert engine.up(site(code)) == {}

    # Everything with the message or the tags, and by the function's new version its alias.
    edited = site(code, message="bye", days=14, share=0.1)
    assert engine.preview(edited) == {"update": 8}
    assert engine.up(edited) == {"update": 8}
    assert engine.output("version") == "2"
    found = aws("lambda").get_function(FunctionName="api", Qualifier="live")["Configuration"]
    assert (found["Version"], found["Environment"]["Variables"]["MESSAGE"]) == ("2", "bye")
    assert alias()["RoutingConfig"] == {"AdditionalVersionWeights": {"1": 0.1}}
    tags = aws("dynamodb").list_tags_of_resource(ResourceArn=engine.output("tableArn"))["Tags"]
    assert tags == [{"Key": "message", "Value": "bye"}]
    assert engine.refresh() == {}

    # New code is a new version, so a preview knows that the alias moves, too.
    other = archive(tmp_path / "other.zip", "2")
    assert engine.preview(site(other, message="bye", days=14, share=0.1)) == {"update": 2}
    assert engine.up(site(other, message="bye", days=14)) == {"update": 2}
    assert not alias().get("RoutingConfig", {}).get("AdditionalVersionWeights")
    digest = hashlib.sha256(other.read_bytes()).digest()
    found = aws("lambda").get_function(FunctionName="api", Qualifier="live")["Configuration"]
    assert (found["Version"], found["CodeSha256"]) == ("3", base64.b64encode(digest).decode())

    assert engine.destroy() == {"delete": 13}
    assert aws("lambda").list_functions()["Functions"] == []
    assert aws("apigatewayv2").get_apis()["Items"] == []
    assert aws("iam").list_roles()["Roles"] == []
    assert aws("dynamodb").list_tables()["TableNames"] == []


@pytest.mark.prove
def test_drift_is_seen_and_mended(engine: Engine, aws: Aws, clouds: Path, code: Path) -> None:
    engine.up(site(code))
    table = engine.output("table")
    aws("dynamodb").delete_table(TableName=table)
    aws("lambda").update_function_configuration(FunctionName="api", Timeout=9)
    group = "recorded", "aws:cloudwatch/logGroup:LogGroup", "/aws/lambda/api"
    recorded = ask(clouds, "GET", *group)
    ask(clouds, "PUT", *group, body=recorded | {"inputs": recorded["inputs"] | {"retentionInDays": 0}})
    aws("iam").put_role_policy(RoleName="api", PolicyName="inline", PolicyDocument=policy(NOTHING))
    aws("ssm").put_parameter(Name="/api/key", Value="mallory", Type="SecureString", Overwrite=True)
    assert engine.refresh() == {"delete": 1, "update": 4}
    assert not engine.tells("mallory")

    # The function and its alias too: the table's new name is in its environment.
    assert engine.up(site(code)) == {"create": 1, "update": 5}
    assert engine.output("table") in aws("dynamodb").list_tables()["TableNames"]
    assert aws("lambda").get_function(FunctionName="api")["Configuration"]["Timeout"] == 3
    assert aws("ssm").get_parameter(Name="/api/key", WithDecryption=True)["Parameter"]["Value"] == "hunter2"
    assert engine.refresh() == {}


def bucket(code: Path, *, owner: str = "ada", public: bool = False) -> Program:
    """A function with its code in S3, under a key that changes with the code."""

    def program() -> None:
        role = iam.Role("role", name="api", assume_role_policy=policy(LAMBDA_MAY))
        made = s3.Bucket("source", bucket_prefix="source-", force_destroy=True, tags={"owner": owner})
        s3.BucketPublicAccessBlock("source", bucket=made.bucket, block_public_acls=not public)
        uploaded = s3.BucketObjectv2(
            "source",
            bucket=made.bucket,
            key=code.name,
            source=pulumi.FileAsset(str(code)),
            tags={"owner": owner},
        )
        lambda_.Function(
            "api",
            name="api",
            role=role.arn,
            runtime="python3.13",
            handler="api.handler",
            s3_bucket=uploaded.bucket,
            s3_key=uploaded.key,
            publish=True,
        )
        pulumi.export("bucket", made.bucket)

    return program


@pytest.mark.prove
def test_a_function_takes_its_code_from_a_bucket(engine: Engine, aws: Aws, code: Path, tmp_path: Path) -> None:
    def sha256(version: str) -> str:
        return aws("lambda").get_function(FunctionName="api", Qualifier=version)["Configuration"]["CodeSha256"]

    def digest(path: Path) -> str:
        return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()

    assert engine.up(bucket(code)) == {"create": 6}
    assert engine.output("bucket").startswith("source-")
    assert engine.up(bucket(code)) == engine.refresh() == {}
    assert engine.up(bucket(code, owner="bob", public=True)) == {"update": 3}

    other = archive(tmp_path / "other.zip", "2")
    assert engine.up(bucket(other, owner="bob", public=True)) == {"replace": 1, "update": 1}
    assert [sha256("1"), sha256("2")] == [digest(code), digest(other)]
    keys = [one["Key"] for one in aws("s3").list_objects_v2(Bucket=engine.output("bucket"))["Contents"]]
    assert keys == ["other.zip"]

    aws("s3").delete_object(Bucket=engine.output("bucket"), Key="other.zip")
    assert engine.refresh() == {"delete": 1}
    engine.up(bucket(other))
    aws("s3").put_object(Bucket=engine.output("bucket"), Key="left behind")
    assert engine.destroy() == {"delete": 6}
    assert aws("s3").list_buckets()["Buckets"] == []


@pytest.mark.prove
def test_snap_start_is_turned_off_by_leaving_it_out(engine: Engine, aws: Aws, code: Path) -> None:
    def function(*, snap_start: bool, known: str | None = None) -> Program:
        def program() -> None:
            role = iam.Role("role", name="api", assume_role_policy=policy(LAMBDA_MAY))
            lambda_.Function(
                "api",
                name="api",
                role=role.arn,
                runtime="python3.13",
                handler="api.handler",
                code=pulumi.FileArchive(str(code)),
                publish=True,
                snap_start={"apply_on": "PublishedVersions"} if snap_start else None,
            )
            if known:
                pulumi.export("memory", lambda_.get_function(function_name="api", qualifier=known).memory_size)

        return program

    engine.up(function(snap_start=True))
    assert engine.up(function(snap_start=True)) == engine.refresh() == {}
    assert engine.up(function(snap_start=False, known="1")) == {"update": 1}
    assert engine.output("memory") == 128
    versions = aws("lambda").list_versions_by_function(FunctionName="api")["Versions"]
    assert [one["SnapStart"]["ApplyOn"] for one in versions] == ["None", "PublishedVersions", "None"]
    assert engine.refresh() == {}


def table(key: str, name: str | None = "named") -> Program:
    def program() -> None:
        made = dynamodb.Table("users", name=name, hash_key=key, attributes=[{"name": key, "type": "S"}])
        pulumi.export("table", made.name)

    return program


@pytest.mark.prove
def test_a_named_table_is_deleted_before_it_is_replaced(engine: Engine, aws: Aws) -> None:
    engine.up(table("id"))
    assert engine.up(table("key")) == {"replace": 1}
    schema = aws("dynamodb").describe_table(TableName="named")["Table"]["KeySchema"]
    assert schema == [{"AttributeName": "key", "KeyType": "HASH"}]
    engine.up(table("key", name=None))
    first = engine.output("table")
    assert first.startswith("users-")
    engine.up(table("id", name=None))
    assert aws("dynamodb").list_tables()["TableNames"] == [engine.output("table")] != [first]


@pytest.mark.prove
def test_a_table_is_imported(engine: Engine, aws: Aws) -> None:
    aws("dynamodb").create_table(
        TableName="there",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def program() -> None:
        dynamodb.Table(
            "users",
            name="there",
            hash_key="id",
            attributes=[{"name": "id", "type": "S"}],
            billing_mode="PAY_PER_REQUEST",
            opts=pulumi.ResourceOptions(import_="there"),
        )

    assert engine.up(program) == {"create": 1, "import": 1}
    assert engine.up(program) == {}
    assert engine.destroy() == {"delete": 2}
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws("dynamodb").describe_table(TableName="there")


def test_a_preview_needs_no_clouds(engine_alone: Engine, code: Path) -> None:
    assert engine_alone.preview(site(code)) == {"create": 13}
