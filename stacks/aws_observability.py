"""The dashboard and the alarms on CloudWatch, and the topic that they notify.

Dashboard: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

# Annotations would import modules of the SDK that few stacks need.
from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import apigatewayv2, cloudwatch, sns
from pulumi_aws.cloudwatch import MetricAlarmMetricQueryArgsDict

from stacks.aws_metrics import metric_math, search
from stacks.config import StackConfig
from stacks.observability import COLUMNS, PANELS, alarms
from stacks.signals import WINDOW_SECONDS, WINDOWS_BEFORE_ALARM, Alarm, App, FailedRequests, Line, Panel

WIDTH, HEIGHT = 24 // COLUMNS, 6  # of a panel; a dashboard is 24 wide


def observability(config: StackConfig, api: apigatewayv2.Api, opts: pulumi.ResourceOptions) -> None:
    """Create the dashboard and the alarms, which notify `config.alarm_email` if it is set."""
    widgets = [_widget(config, api, number, panel) for number, panel in enumerate(PANELS)]
    cloudwatch.Dashboard(
        "stack",
        dashboard_name=config.name,
        dashboard_body=pulumi.Output.json_dumps({"widgets": widgets}),
        opts=opts,
    )
    topics = [_topic(config, config.alarm_email, opts).arn] if config.alarm_email else []
    for alarm in alarms(config):
        cloudwatch.MetricAlarm(
            alarm.name,
            name=f"{config.name}-{alarm.name}",
            alarm_description=alarm.runbook,
            comparison_operator="GreaterThanThreshold",
            threshold=alarm.threshold,
            evaluation_periods=WINDOWS_BEFORE_ALARM,
            treat_missing_data="notBreaching",
            metric_queries=_queries(config, api, alarm),
            alarm_actions=topics,
            ok_actions=topics,
            tags=config.tags,
            opts=opts,
        )


def _topic(config: StackConfig, email: str, opts: pulumi.ResourceOptions) -> sns.Topic:
    # Not encrypted: alarms cannot publish to a topic with SNS's own key, and they contain no user data.
    topic = sns.Topic("alarms", name=f"{config.name}-alarms", tags=config.tags, opts=opts)
    sns.TopicSubscription("alarms", topic=topic.arn, protocol="email", endpoint=email, opts=opts)
    return topic


def _widget(config: StackConfig, api: apigatewayv2.Api, number: int, panel: Panel | FailedRequests) -> dict[str, Any]:
    row, column = divmod(number, COLUMNS)
    if isinstance(panel, FailedRequests):
        kind, properties = "log", _failed_requests(config)
    else:
        kind, properties = "metric", _metrics(config, api, panel)
    return {
        "x": column * WIDTH,
        "y": row * HEIGHT,
        "width": WIDTH,
        "height": HEIGHT,
        "type": kind,
        "properties": {"title": panel.title, "region": config.region, **properties},
    }


def _metrics(config: StackConfig, api: apigatewayv2.Api, panel: Panel) -> dict[str, Any]:
    return {
        "view": "timeSeries",
        "period": WINDOW_SECONDS,
        "metrics": _series(config, api, panel.line),
        "yAxis": {"left": {"min": 0, "label": panel.axis, "showUnits": False}},
    }


def _failed_requests(config: StackConfig) -> dict[str, Any]:
    """A query of CloudWatch Logs Insights."""
    query = "filter Errors > 0 | stats count(*) as Failed by API, status | sort Failed desc"
    return {"view": "table", "query": f"SOURCE '/aws/lambda/{config.name}' | {query}"}


def _series(config: StackConfig, api: apigatewayv2.Api, line: Line) -> list[list[Any]]:
    if isinstance(line, App) and line.split:
        return [[search(config, line)]]
    metrics, expression = metric_math(config, api, line)
    sources = [
        [m.namespace, m.name, *_flat(m.dimensions), {"id": name, "stat": m.statistic, "visible": False}]
        for name, m in metrics.items()
    ]
    return [*sources, [{"id": "line", "expression": expression, "label": "all"}]]


def _queries(config: StackConfig, api: apigatewayv2.Api, alarm: Alarm) -> list[MetricAlarmMetricQueryArgsDict]:
    metrics, expression = metric_math(config, api, alarm.line, alarm.events)
    queries: list[MetricAlarmMetricQueryArgsDict] = [
        {
            "id": name,
            "metric": {
                "namespace": metric.namespace,
                "metric_name": metric.name,
                "dimensions": metric.dimensions,
                "stat": metric.statistic,
                "period": WINDOW_SECONDS,
            },
        }
        for name, metric in metrics.items()
    ]
    return [*queries, {"id": "line", "expression": expression, "label": alarm.name, "return_data": True}]


def _flat(dimensions: dict[str, pulumi.Input[str]]) -> list[pulumi.Input[str]]:
    return [part for pair in dimensions.items() for part in pair]
