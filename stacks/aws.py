"""The AWS stack: API Gateway HTTP API -> Lambda alias `live` -> DynamoDB, and a Momento cache."""

from typing import Any

import pulumi
from pulumi_aws import apigatewayv2, cloudwatch, dynamodb, get_caller_identity_output, iam, lambda_, ssm
from pulumi_aws.lambda_ import AliasRoutingConfigArgsDict

from pulumi_momento import Cache
from stacks.artifact import Artifact
from stacks.aws_concurrency import check_concurrency
from stacks.aws_domain import custom_domain
from stacks.aws_http_api import http_api
from stacks.aws_observability import Watch
from stacks.aws_source import source
from stacks.config import StackConfig
from stacks.front_door import FrontDoor
from stacks.protection import of_data
from stacks.rollout import Rollout, Traffic, exports

# Every call of app/data/dynamodb.py, and nothing else.
TABLE_ACTIONS = ("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Scan")


# X-Ray has no resources that rights could be limited to.
TRACE_ACTIONS = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]


class AwsStack(pulumi.ComponentResource):
    """All resources of a stack on AWS. `outputs` has the same names as GcpStack's.

    Without an artifact the function stays as it is, and only the traffic moves.
    """

    def __init__(self, name: str, config: StackConfig, artifact: Artifact | None, rollout: Rollout) -> None:
        check_concurrency(config)
        super().__init__("better-together:stacks:AwsStack", name)
        self._config = config
        self._child = pulumi.ResourceOptions(parent=self)
        cache = Cache("users", name=config.name, opts=self._child)
        self._table = self._make_table()
        self._key = self._make_key()
        function = self._make_function(artifact, cache, rollout.digest)
        traffic = function.version.apply(rollout.traffic)
        alias = lambda_.Alias(
            "live",
            name="live",
            function_name=function.name,
            function_version=traffic.apply(lambda traffic: traffic.stable.revision),
            routing_config=traffic.apply(_weights),
            opts=self._child,
        )
        api, stage = http_api(config, alias, self._child)
        Watch(config, api, self._child)
        self.outputs: dict[str, pulumi.Input[Any]] = {
            **self._front_door(api, stage).outputs,
            "cloud": config.cloud,
            "account": get_caller_identity_output().account_id,
            "region": config.region,
            "persistence": config.persistence,
            "store": self._table.name,
            "cache": cache.name,
            **exports(pulumi.Output.all(traffic, alias.arn).apply(lambda known: known[0])),
        }
        self.register_outputs(self.outputs)

    def _front_door(self, api: apigatewayv2.Api, stage: apigatewayv2.Stage) -> FrontDoor:
        if self._config.domain is None:
            return FrontDoor(api.api_endpoint)
        url = f"https://{self._config.domain}"
        return FrontDoor(url, custom_domain(self._config, self._config.domain, stage, self._child))

    def _make_table(self) -> dynamodb.Table:
        return dynamodb.Table(
            "users",
            name=self._config.name,
            billing_mode="PAY_PER_REQUEST",
            hash_key="id",
            # No TTL: users do not expire; what does is in the cache, after CACHE_TTL_SECONDS.
            attributes=[{"name": "id", "type": "S"}],
            point_in_time_recovery={"enabled": True, "recovery_period_in_days": self._config.recovery_days},
            deletion_protection_enabled=self._config.protected,
            server_side_encryption={"enabled": True},  # AWS's managed key for DynamoDB, whose uses CloudTrail logs
            tags=self._config.tags,
            opts=pulumi.ResourceOptions.merge(self._child, of_data(self._config)),
        )

    def _make_key(self) -> ssm.Parameter:
        return ssm.Parameter(
            "momento-api-key",
            name=f"/{self._config.name}/momento-api-key",
            type=ssm.ParameterType.SECURE_STRING,
            value=self._config.momento_api_key,
            tags=self._config.tags,
            opts=self._child,
        )

    def _make_function(self, artifact: Artifact | None, cache: Cache, digest: str) -> lambda_.Function:
        logs = cloudwatch.LogGroup(
            "function",
            name=f"/aws/lambda/{self._config.name}",
            retention_in_days=self._config.log_retention_days,
            tags=self._config.tags,
            opts=self._child,
        )
        role = iam.Role(
            "function",
            name=self._config.name,
            assume_role_policy=_policy(
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
            ),
            tags=self._config.tags,
            opts=self._child,
        )
        rights = iam.RolePolicy(
            "function",
            name="function",
            role=role.name,
            policy=_policy(
                _allow([f"dynamodb:{action}" for action in TABLE_ACTIONS], self._table.arn),
                _allow(["ssm:GetParameter"], self._key.arn),
                _allow(["logs:CreateLogStream", "logs:PutLogEvents"], pulumi.Output.concat(logs.arn, ":*")),
                *([_allow(TRACE_ACTIONS, "*")] if self._config.tracing else []),
            ),
            opts=self._child,
        )
        archive = source(self._config, artifact, self._child)
        return lambda_.Function(
            "api",
            name=self._config.name,
            runtime=lambda_.Runtime.PYTHON3D13,
            architectures=["x86_64"],
            s3_bucket=archive and archive.bucket,
            s3_key=archive and archive.key,
            code_sha256=artifact and artifact.code_sha256,  # so that code from elsewhere is drift
            handler="app.aws_lambda.handler",
            role=role.arn,
            publish=True,
            snap_start={"apply_on": "PublishedVersions"},
            memory_size=self._config.memory_mb,
            timeout=self._config.timeout_seconds,
            reserved_concurrent_executions=self._config.max_instances or None,
            environment={"variables": self._environment(cache, digest)},
            logging_config={"log_format": "Text", "log_group": logs.name},
            tracing_config={"mode": "Active" if self._config.tracing else "PassThrough"},
            tags=self._config.tags,
            # Any change would publish a version: with a pinned artifact the one that is in the state stays the newest.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rights], ignore_changes=None if artifact else ["*"]),
        )

    def _environment(self, cache: Cache, digest: str) -> dict[str, pulumi.Input[str]]:
        return {
            **self._config.app_environment,
            "USERS_TABLE": self._table.name,
            "MOMENTO_CACHE": cache.name,
            # The version is part of it, so that a new key makes a new version of the function, which reads it.
            "MOMENTO_API_KEY_PARAMETER": pulumi.Output.format("{0}:{1}", self._key.name, self._key.version),
            "METRICS_FORMAT": "emf",
            "ARTIFACT_DIGEST": digest,
        }


def _weights(traffic: Traffic) -> AliasRoutingConfigArgsDict | None:
    """What leaves the stable version, which is the alias's own; Lambda wants nothing rather than a weight of 1."""
    if traffic.target == traffic.stable:
        return None
    return {"additional_version_weights": {traffic.target.revision: traffic.percent / 100}}


def _allow(actions: list[str], resource: pulumi.Input[str]) -> dict[str, pulumi.Input[str] | list[str]]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _policy(*statements: object) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})
