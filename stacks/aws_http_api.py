"""The front door on AWS: an HTTP API that passes every request to the function's alias."""

import json

import pulumi
from pulumi_aws import apigatewayv2, cloudwatch, lambda_

from stacks.config import StackConfig

ACCESS_LOG = {
    name: f"$context.{name}"
    for name in (
        "requestId",
        "requestTime",
        "httpMethod",
        "path",
        "status",
        "responseLatency",
        "integrationErrorMessage",
    )
}


THROTTLED = "Throttled"
"""A metric in the stack's namespace: requests answered with 429, which API Gateway only counts as one of all 4xx."""


def http_api(
    config: StackConfig, alias: lambda_.Alias, own_url_closed: bool, opts: pulumi.ResourceOptions
) -> tuple[apigatewayv2.Api, apigatewayv2.Stage]:
    """An HTTP API in front of the alias, open to the internet over HTTPS only, and its stage."""
    api = apigatewayv2.Api(
        "api",
        name=config.name,
        protocol_type="HTTP",
        disable_execute_api_endpoint=own_url_closed,
        tags=config.tags,
        opts=opts,
    )
    _route(config, api, alias, opts)
    return api, _stage(config, api, _request_log(config, opts), opts)


def _route(config: StackConfig, api: apigatewayv2.Api, alias: lambda_.Alias, opts: pulumi.ResourceOptions) -> None:
    """Pass every request to the alias, and let the API invoke it."""
    integration = apigatewayv2.Integration(
        "live",
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_uri=alias.invoke_arn,
        integration_method="POST",
        payload_format_version="2.0",
        timeout_milliseconds=config.timeout_seconds * 1000,
        opts=opts,
    )
    apigatewayv2.Route(
        "default",
        api_id=api.id,
        route_key="$default",
        target=pulumi.Output.concat("integrations/", integration.id),
        opts=opts,
    )
    lambda_.Permission(
        "api",
        action="lambda:InvokeFunction",
        function=alias.function_name,
        qualifier=alias.name,
        principal="apigateway.amazonaws.com",
        source_arn=pulumi.Output.concat(api.execution_arn, "/*/$default"),
        opts=opts,
    )


def _request_log(config: StackConfig, opts: pulumi.ResourceOptions) -> cloudwatch.LogGroup:
    """The log group of requests, and the metric of those that are throttled."""
    logs = cloudwatch.LogGroup(
        "requests",
        # API Gateway may write to groups with this prefix without a resource policy for each.
        name=f"/aws/vendedlogs/{config.name}",
        retention_in_days=config.log_retention_days,
        tags=config.tags,
        opts=opts,
    )
    cloudwatch.LogMetricFilter(
        "throttled",
        name=f"{config.name}-throttled",
        log_group_name=logs.name,
        pattern='{ $.status = "429" }',
        metric_transformation={"namespace": config.name, "name": THROTTLED, "value": "1", "unit": "Count"},
        opts=opts,
    )
    return logs


def _stage(
    config: StackConfig, api: apigatewayv2.Api, logs: cloudwatch.LogGroup, opts: pulumi.ResourceOptions
) -> apigatewayv2.Stage:
    return apigatewayv2.Stage(
        "default",
        api_id=api.id,
        name="$default",
        auto_deploy=True,
        default_route_settings={
            "throttling_rate_limit": config.throttle_rate,
            "throttling_burst_limit": config.throttle_burst,
        },
        access_log_settings={"destination_arn": logs.arn, "format": json.dumps(ACCESS_LOG)},
        tags=config.tags,
        opts=opts,
    )
