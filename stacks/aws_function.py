"""The Lambda function, its permissions and its environment."""

from typing import Any, NamedTuple

import pulumi
from pulumi_aws import cloudwatch, dynamodb, iam, lambda_, s3, ssm

from pulumi_momento import Cache
from stacks.archive_file import Archive
from stacks.aws_source import CODE, source
from stacks.config import StackConfig
from stacks.rollout import Rollout

# Exactly the calls of app/data/dynamodb.py; a transaction needs the actions of its parts.
PICTURE_ACTIONS = ("BatchGetItem", "DeleteItem", "GetItem", "PutItem")
USER_ACTIONS = (*PICTURE_ACTIONS, "Scan")

# X-Ray has no resources to which permissions could be limited.
TRACE_ACTIONS = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]


class Tables(NamedTuple):
    users: dynamodb.Table
    pictures: dynamodb.Table


class Published(NamedTuple):
    function: lambda_.Function
    deployment: pulumi.Output[str]
    """The id of the deployment that created the newest version: the version's description."""
    bucket: s3.Bucket
    """The bucket with the archives."""


def published_function(
    config: StackConfig,
    archive: Archive | None,
    rollout: Rollout,
    tables: Tables,
    key: ssm.Parameter,
    cache: Cache,
    opts: pulumi.ResourceOptions,
) -> Published:
    """The function of the archive; without one, of the code that it has."""
    logs = _logs(config, opts)
    role, permissions = _role(config, tables, key, logs, opts)
    bucket, code = source(config, archive, opts)
    published: dict[str, Any] = {
        "runtime": lambda_.Runtime.PYTHON3D13,
        "architectures": ["x86_64"],
        "handler": "app.aws_lambda.handler",
        "role": role.arn,
        # Without it, the provider turns SnapStart off: expandSnapStart in terraform-provider-aws.
        "snap_start": {"apply_on": "PublishedVersions"} if config.snap_start else None,
        "memory_size": config.memory_mb,
        "timeout": config.timeout_seconds,
        "environment": {"variables": _environment(config, tables, key, cache, rollout.digest)},
        "logging_config": {"log_format": "Text", "log_group": logs.name},
        "tracing_config": {"mode": "Active" if config.tracing else "PassThrough"},
    }
    deployment = pulumi.Output.json_dumps(published, sort_keys=True).apply(rollout.deployment)
    # Any change would publish a version. With a pinned artifact, the function stays as it is in the state.
    unchanged = ["*"] if rollout.pinned else None if code else [*CODE]
    function = lambda_.Function(
        "api",
        name=config.name,
        description=deployment,
        publish=True,
        reserved_concurrent_executions=config.max_instances or None,
        tags=config.tags,
        **published,
        **code,
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(depends_on=[permissions], ignore_changes=unchanged)
        ),
    )
    return Published(function, deployment, bucket)


def _logs(config: StackConfig, opts: pulumi.ResourceOptions) -> cloudwatch.LogGroup:
    return cloudwatch.LogGroup(
        "function",
        name=f"/aws/lambda/{config.name}",
        retention_in_days=config.log_retention_days,
        tags=config.tags,
        opts=opts,
    )


def _role(
    config: StackConfig,
    tables: Tables,
    key: ssm.Parameter,
    logs: cloudwatch.LogGroup,
    opts: pulumi.ResourceOptions,
) -> tuple[iam.Role, iam.RolePolicy]:
    role = iam.Role(
        "function",
        name=config.name,
        assume_role_policy=_policy(
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ),
        permissions_boundary=config.permissions_boundary,
        tags=config.tags,
        opts=opts,
    )
    permissions = iam.RolePolicy(
        "function",
        name="function",
        role=role.name,
        policy=_policy(
            _allow([f"dynamodb:{action}" for action in USER_ACTIONS], tables.users.arn),
            _allow([f"dynamodb:{action}" for action in PICTURE_ACTIONS], tables.pictures.arn),
            _allow(["ssm:GetParameter"], key.arn),
            _allow(["logs:CreateLogStream", "logs:PutLogEvents"], pulumi.Output.concat(logs.arn, ":*")),
            *([_allow(TRACE_ACTIONS, "*")] if config.tracing else []),
        ),
        opts=opts,
    )
    return role, permissions


def _environment(
    config: StackConfig, tables: Tables, key: ssm.Parameter, cache: Cache, digest: str
) -> dict[str, pulumi.Input[str]]:
    return {
        **config.app_environment,
        "USERS_TABLE": tables.users.name,
        "PICTURES_TABLE": tables.pictures.name,
        "MOMENTO_CACHE": cache.name,
        # The version is included, so that a new key creates a new version of the function, which reads it.
        "MOMENTO_API_KEY_PARAMETER": pulumi.Output.format("{0}:{1}", key.name, key.version),
        "METRICS_FORMAT": "emf",
        "ARTIFACT_DIGEST": digest,
    }


def _allow(actions: list[str], resource: pulumi.Input[str]) -> dict[str, pulumi.Input[str] | list[str]]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _policy(*statements: object) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})
