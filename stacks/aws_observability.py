"""The dashboard and the alarms on CloudWatch, and who is told.

Dashboard: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
Metric math and SEARCH: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import apigatewayv2, cloudwatch, sns
from pulumi_aws.cloudwatch import MetricAlarmMetricQueryArgsDict

from stacks.aws_http_api import THROTTLED
from stacks.config import StackConfig
from stacks.observability import (
    APP_METRICS,
    ENOUGH_EVENTS,
    PANELS,
    REQUESTS,
    THROTTLE_RATE,
    WINDOW_SECONDS,
    WINDOWS_BEFORE_ALARM,
    Alarm,
    App,
    Line,
    Panel,
    Percent,
    Signal,
    Statistic,
    alarms,
)

STATISTICS: dict[Statistic, str] = {"count": "SampleCount", "sum": "Sum"}
API_GATEWAY = {"requests": "Count", "failures": "5xx", "latency": "Latency"}
NEAR_THE_LIMIT = 90  # percent of throttleRate
COLUMNS, WIDTH, HEIGHT = 3, 8, 6  # of a dashboard that is 24 wide


@dataclass(frozen=True)
class Metric:
    namespace: str
    name: str
    dimensions: dict[str, pulumi.Input[str]]
    statistic: str


class Watch:
    """What shows how the stack does, and tells `config.alarm_email` when it does badly."""

    def __init__(self, config: StackConfig, api: apigatewayv2.Api, opts: pulumi.ResourceOptions) -> None:
        self._config = config
        self._api = api
        cloudwatch.Dashboard(
            "stack",
            dashboard_name=config.name,
            dashboard_body=pulumi.Output.json_dumps({"widgets": [self._widget(i, p) for i, p in enumerate(PANELS)]}),
            opts=opts,
        )
        topics = [self._topic(config.alarm_email, opts).arn] if config.alarm_email else []
        for alarm in alarms(config.persistence):
            cloudwatch.MetricAlarm(
                alarm.name,
                name=f"{config.name}-{alarm.name}",
                alarm_description=alarm.runbook,
                comparison_operator="GreaterThanThreshold",
                threshold=alarm.threshold,
                evaluation_periods=WINDOWS_BEFORE_ALARM,
                treat_missing_data="notBreaching",
                metric_queries=self._queries(alarm),
                alarm_actions=topics,
                ok_actions=topics,
                tags=config.tags,
                opts=opts,
            )

    def _topic(self, email: str, opts: pulumi.ResourceOptions) -> sns.Topic:
        # Without encryption: alarms cannot publish through SNS's own key, and there is no user's data in them.
        topic = sns.Topic("alarms", name=f"{self._config.name}-alarms", tags=self._config.tags, opts=opts)
        sns.TopicSubscription("alarms", topic=topic.arn, protocol="email", endpoint=email, opts=opts)
        return topic

    def _widget(self, number: int, panel: Panel) -> dict[str, Any]:
        row, column = divmod(number, COLUMNS)
        return {
            "type": "metric",
            "x": column * WIDTH,
            "y": row * HEIGHT,
            "width": WIDTH,
            "height": HEIGHT,
            "properties": {
                "title": panel.title,
                "region": self._config.region,
                "view": "timeSeries",
                "period": WINDOW_SECONDS,
                "metrics": self._series(panel.line),
                "yAxis": {"left": {"min": 0, "label": panel.axis, "showUnits": False}},
            },
        }

    def _series(self, line: Line) -> list[list[Any]]:
        if isinstance(line, App) and not line.only:
            return [[self._search(line)]]
        metrics, expression = self._math(line)
        sources = [
            [m.namespace, m.name, *_flat(m.dimensions), {"id": name, "stat": m.statistic, "visible": False}]
            for name, m in metrics.items()
        ]
        return [*sources, [{"id": "line", "expression": expression, "label": "all"}]]

    def _search(self, line: App) -> dict[str, str]:
        """All values of the metric's dimension, which are as many as there are routes or upstreams."""
        dimension, statistic = APP_METRICS[line.metric], STATISTICS.get(line.statistic, line.statistic)
        schema = f'{{"{self._config.name}",{dimension}}} MetricName="{line.metric}"'
        search = f"SEARCH('{schema}', '{statistic}', {WINDOW_SECONDS})"
        if line.split:
            return {"id": "line", "expression": search, "label": f"${{PROP('Dim.{dimension}')}}"}
        return {"id": "line", "expression": f"SUM({search})", "label": "all"}

    def _queries(self, alarm: Alarm) -> list[MetricAlarmMetricQueryArgsDict]:
        metrics, expression = self._math(alarm.line, alarm.events)
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

    def _math(self, line: Line, events: Signal | None = None) -> tuple[dict[str, Metric], str]:
        """Metrics by the ids that the expression has for them; with too few events it is 0.

        In a flood, API Gateway may not count what it turns away, but it counts what it lets in. So near the limit of
        that, all requests are taken for turned away
        (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-monitor.html).
        """
        metrics: dict[str, Metric] = {}
        values: dict[Signal, str] = {}

        def value(signal: Signal) -> str:
            if signal not in values:
                new = {f"m{len(metrics) + i}": metric for i, metric in enumerate(self._metrics(signal), 1)}
                metrics.update(new)
                values[signal] = " + ".join(f"FILL({n}, 0)" if m.statistic == "Sum" else n for n, m in new.items())
            return values[signal]

        if isinstance(line, Percent):
            expression = f"100 * ({value(line.part)}) / ({' + '.join(map(value, line.whole))})"
        else:
            expression = value(line)
        if line == THROTTLE_RATE:
            limit = self._config.throttle_rate * WINDOW_SECONDS * NEAR_THE_LIMIT // 100
            expression = f"IF({value(REQUESTS)} >= {limit}, 100, {expression})"
        return metrics, f"IF({value(events)} >= {ENOUGH_EVENTS}, {expression}, 0)" if events else expression

    def _metrics(self, signal: Signal) -> list[Metric]:
        """What is to be added up."""
        statistic = STATISTICS.get(signal.statistic, signal.statistic)
        if isinstance(signal, App):
            dimensions: dict[str, pulumi.Input[str]] = {APP_METRICS[signal.metric]: signal.only or ""}
            return [Metric(self._config.name, signal.metric, dimensions, statistic)]
        if signal.what == "throttled":
            return [
                Metric(self._config.name, THROTTLED, {}, statistic),
                Metric("AWS/Lambda", "Throttles", {"FunctionName": self._config.name}, statistic),
            ]
        return [Metric("AWS/ApiGateway", API_GATEWAY[signal.what], {"ApiId": self._api.id}, statistic)]


def _flat(dimensions: dict[str, pulumi.Input[str]]) -> list[pulumi.Input[str]]:
    return [part for pair in dimensions.items() for part in pair]
