"""The AWS stack: API Gateway HTTP API -> Lambda alias `live` -> DynamoDB, and a Momento cache."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pulumi
from pulumi_aws import apigatewayv2, dynamodb, get_caller_identity_output, lambda_, ssm
from pulumi_aws.lambda_ import AliasRoutingConfigArgsDict

from pulumi_momento import Cache
from stacks.archive_file import Archive
from stacks.aws_concurrency import check_concurrency
from stacks.aws_domain import custom_domain
from stacks.aws_function import Tables, published_function
from stacks.aws_http_api import http_api
from stacks.aws_observability import observability
from stacks.aws_old_versions import warn_of_old_versions
from stacks.aws_version import check_runs
from stacks.config import StackConfig
from stacks.front_door import FrontDoor
from stacks.protection import protect_data
from stacks.rollout import Rollout
from stacks.traffic import Traffic, exports


class AwsStack(pulumi.ComponentResource):
    """All resources of a stack on AWS. `outputs` has the same names as GcpStack's.

    Without an archive the function keeps its code.
    """

    def __init__(
        self, name: str, config: StackConfig, archive: Archive | None, rollout: Rollout, own_url_closed: bool
    ) -> None:
        check_concurrency(config)
        super().__init__("better-together:stacks:AwsStack", name)
        self._config = config
        self._child = pulumi.ResourceOptions(parent=self)
        cache = Cache("users", name=config.name, opts=self._child)
        protected = pulumi.ResourceOptions.merge(self._child, protect_data(config))
        self._users = self._make_table("users", config.name, protected)
        # Pictures have their own table: DynamoDB bills the whole item whenever a part of it is read or written.
        pictures = self._make_table("pictures", f"{config.name}-pictures", protected)
        self._key = self._make_key()
        tables = Tables(self._users, pictures)
        function, deployment, bucket = published_function(
            config, archive, rollout, tables, self._key, cache, self._child
        )
        traffic = pulumi.Output.all(function.name, function.version, deployment).apply(partial(_traffic, rollout))
        if config.snap_start:
            pulumi.Output.all(function.name, traffic).apply(lambda found: warn_of_old_versions(config.stack, *found))
        alias = lambda_.Alias(
            "live",
            name="live",
            function_name=function.name,
            function_version=traffic.apply(lambda traffic: traffic.stable.revision),
            routing_config=traffic.apply(_weights),
            opts=self._child,
        )
        api, stage = http_api(config, alias, own_url_closed, self._child)
        observability(config, api, self._child)
        self.outputs: dict[str, pulumi.Input[Any]] = {
            **self._front_door(api, stage, own_url_closed).outputs,
            "cloud": config.cloud,
            "account": get_caller_identity_output().account_id,
            "region": config.region,
            "persistence": config.persistence,
            "store": self._users.name,
            "cache": cache.name,
            "service": function.name,
            "bucket": bucket.bucket,
            "expires": config.expires or "",
            "rolloutPlan": config.rollout_plan.output,
            **exports(pulumi.Output.all(traffic, alias.arn).apply(lambda known: known[0])),
        }
        self.register_outputs(self.outputs)

    def _front_door(self, api: apigatewayv2.Api, stage: apigatewayv2.Stage, own_url_closed: bool) -> FrontDoor:
        if self._config.domain is None:
            return FrontDoor(api.api_endpoint)
        url, records = custom_domain(self._config, self._config.domain, stage, self._child)
        return FrontDoor(url, records, None if own_url_closed else api.api_endpoint)

    def _make_table(self, resource: str, name: str, opts: pulumi.ResourceOptions) -> dynamodb.Table:
        return dynamodb.Table(
            resource,
            name=name,
            billing_mode="PAY_PER_REQUEST",
            hash_key="id",
            # No TTL: users do not expire, only their copies in the cache do.
            attributes=[{"name": "id", "type": "S"}],
            point_in_time_recovery={"enabled": True, "recovery_period_in_days": self._config.recovery_days},
            deletion_protection_enabled=self._config.protected,
            server_side_encryption={"enabled": True},  # with AWS's managed key for DynamoDB; CloudTrail logs its use
            tags=self._config.tags,
            opts=opts,
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


async def _traffic(rollout: Rollout, function_version_deployment: Sequence[str]) -> Traffic:
    """The traffic split, once the newest version is known to run."""
    function, version, deployment = function_version_deployment
    if rollout.is_new(version) and not pulumi.runtime.is_dry_run():
        await check_runs(function, version, rollout.digest)
    return rollout.traffic(version, deployment)


def _weights(traffic: Traffic) -> AliasRoutingConfigArgsDict | None:
    """The share of the target version; the alias itself points to the stable one. Lambda accepts no weight of 1."""
    if not traffic.is_unfinished or not traffic.percent:
        return None
    return {"additional_version_weights": {traffic.target.revision: traffic.percent / 100}}
