"""The lines of the dashboard and the alarms as CloudWatch metrics.

Metric math and SEARCH: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from dataclasses import dataclass
from itertools import count

import pulumi
from pulumi_aws import apigatewayv2

from stacks.aws_http_api import THROTTLED
from stacks.config import StackConfig
from stacks.signals import (
    APP_METRICS,
    ENOUGH_EVENTS,
    REQUESTS,
    THROTTLE_RATE,
    WINDOW_SECONDS,
    App,
    Line,
    Percent,
    Signal,
    Statistic,
)

STATISTICS: dict[Statistic, str] = {"count": "SampleCount", "sum": "Sum"}
API_GATEWAY = {"requests": "Count", "failures": "5xx", "latency": "Latency"}
NEAR_THE_LIMIT = 90  # percent of throttleRate


@dataclass(frozen=True)
class Metric:
    namespace: str
    name: str
    dimensions: dict[str, pulumi.Input[str]]
    statistic: str


def search(config: StackConfig, line: App) -> dict[str, str]:
    """An expression that finds all values of the metric's dimension: one for each route or upstream."""
    dimension, statistic = APP_METRICS[line.metric], STATISTICS.get(line.statistic, line.statistic)
    schema = f'{{"{config.name}",{dimension}}} MetricName="{line.metric}"'
    expression = f"SEARCH('{schema}', '{statistic}', {WINDOW_SECONDS})"
    return {"id": "line", "expression": expression, "label": f"${{PROP('Dim.{dimension}')}}"}


def metric_math(
    config: StackConfig, api: apigatewayv2.Api, line: Line, events: Signal | None = None
) -> tuple[dict[str, Metric], str]:
    """The metrics of a line by id (`m1`, `m2`, ...), and the expression that combines them.

    With `events`, the expression is 0 in windows that have fewer than ENOUGH_EVENTS of them.
    """
    numbers = count(1)
    sources = {
        signal: {f"m{next(numbers)}": metric for metric in _metrics(config, api, signal)}
        for signal in dict.fromkeys(_signals(line, events))
    }
    values = {signal: _sum(metrics) for signal, metrics in sources.items()}
    if isinstance(line, Percent):
        expression = f"100 * ({values[line.part]}) / ({' + '.join(values[signal] for signal in line.whole)})"
    else:
        expression = values[line]
    if line == THROTTLE_RATE:
        expression = f"IF({values[REQUESTS]} >= {_near_throttle_rate(config)}, 100, {expression})"
    if events:
        expression = f"IF({values[events]} >= {ENOUGH_EVENTS}, {expression}, 0)"
    return {name: metric for metrics in sources.values() for name, metric in metrics.items()}, expression


def _signals(line: Line, events: Signal | None) -> list[Signal]:
    signals = [line.part, *line.whole] if isinstance(line, Percent) else [line]
    return [*signals, events] if events else signals


def _sum(metrics: dict[str, Metric]) -> str:
    return " + ".join(f"FILL({name}, 0)" if m.statistic == "Sum" else name for name, m in metrics.items())


def _near_throttle_rate(config: StackConfig) -> int:
    """The requests in a window from which on API Gateway is assumed to throttle.

    In a flood, API Gateway may not count the requests that it throttles, but it counts those that it accepts
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-monitor.html).
    """
    return config.throttle_rate * WINDOW_SECONDS * NEAR_THE_LIMIT // 100


def _metrics(config: StackConfig, api: apigatewayv2.Api, signal: Signal) -> list[Metric]:
    """The metrics that add up to the signal."""
    statistic = STATISTICS.get(signal.statistic, signal.statistic)
    if isinstance(signal, App):
        dimension = APP_METRICS[signal.metric]
        dimensions: dict[str, pulumi.Input[str]] = {dimension: signal.only} if dimension and signal.only else {}
        return [Metric(config.name, signal.metric, dimensions, statistic)]
    if signal.what == "throttled":
        return [
            Metric(config.name, THROTTLED, {}, statistic),
            Metric("AWS/Lambda", "Throttles", {"FunctionName": config.name}, statistic),
        ]
    return [Metric("AWS/ApiGateway", API_GATEWAY[signal.what], {"ApiId": api.id}, statistic)]
