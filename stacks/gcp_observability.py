"""The app's metrics, the dashboard and the alarms on Cloud Monitoring, and the channel that they notify.

The app's JSON lines become log-based metrics with the same names and dimensions as on CloudWatch. Each is a
distribution, the only kind that extracts a number from a line: its count is how often the metric was measured, its sum
the total, its buckets give percentiles. Their names in PromQL: cloud.google.com/monitoring/promql/promql-mapping
"""

import json
from typing import Any

import pulumi
from pulumi_gcp import logging, monitoring

from stacks.config import StackConfig
from stacks.gcp_logs import logs_of
from stacks.observability import COLUMNS, PANELS, alarms
from stacks.signals import (
    APP_METRICS,
    ENOUGH_EVENTS,
    WINDOW_SECONDS,
    WINDOWS_BEFORE_ALARM,
    Alarm,
    App,
    FailedRequests,
    Line,
    Panel,
    Percent,
    Signal,
)

REQUESTS = {"requests": {}, "failures": {"response_code_class": "5xx"}, "throttled": {"response_code": "429"}}


def observability(config: StackConfig, opts: pulumi.ResourceOptions) -> None:
    """Create the metrics, the dashboard and the alarms, which notify `config.alarm_email` if it is set."""
    for metric, dimension in APP_METRICS.items():
        _log_based(config, metric, dimension, opts)
    dashboard = {
        "displayName": config.name,
        "gridLayout": {"columns": str(COLUMNS), "widgets": [_widget(config, panel) for panel in PANELS]},
    }
    monitoring.Dashboard("stack", dashboard_json=json.dumps(dashboard), opts=opts)
    channels = [_channel(config, config.alarm_email, opts).id] if config.alarm_email else []
    for alarm in alarms(config):
        monitoring.AlertPolicy(
            alarm.name,
            display_name=f"{config.name}-{alarm.name}",
            combiner="OR",
            conditions=[
                {
                    "display_name": alarm.name,
                    "condition_prometheus_query_language": {
                        "query": _condition(config, alarm),
                        # The query itself already covers one window.
                        "duration": f"{(WINDOWS_BEFORE_ALARM - 1) * WINDOW_SECONDS}s",
                        "evaluation_interval": "60s",
                        # A log-based metric does not exist before its first log line.
                        "disable_metric_validation": True,
                    },
                }
            ],
            documentation={"content": alarm.runbook, "mime_type": "text/markdown"},
            notification_channels=channels,
            user_labels=config.tags,
            opts=opts,
        )


def _log_based(config: StackConfig, metric: str, dimension: str | None, opts: pulumi.ResourceOptions) -> logging.Metric:
    labels = [dimension] if dimension else []
    return logging.Metric(
        metric,
        name=f"{config.name}/{metric}",
        filter=f"{logs_of(config)} AND jsonPayload.{metric}:*",
        value_extractor=f"EXTRACT(jsonPayload.{metric})",
        label_extractors={label: f"EXTRACT(jsonPayload.{label})" for label in labels},
        metric_descriptor={
            "metric_kind": "DELTA",
            "value_type": "DISTRIBUTION",
            "unit": "ms" if metric.endswith("Time") else "1",
            "labels": [{"key": label, "value_type": "STRING"} for label in labels],
        },
        # From 1 to 56,000, each 20 % wider than the one before, so percentiles are that exact.
        bucket_options={"exponential_buckets": {"scale": 1, "growth_factor": 1.2, "num_finite_buckets": 60}},
        opts=opts,
    )


def _channel(config: StackConfig, email: str, opts: pulumi.ResourceOptions) -> monitoring.NotificationChannel:
    return monitoring.NotificationChannel(
        "alarms",
        type="email",
        display_name=f"{config.name}-alarms",
        labels={"email_address": email},
        user_labels=config.tags,
        opts=opts,
    )


def _widget(config: StackConfig, panel: Panel | FailedRequests) -> dict[str, Any]:
    if isinstance(panel, FailedRequests):
        log = {
            "filter": f"{logs_of(config)} AND jsonPayload.Errors>0",
            "resourceNames": [f"projects/{config.gcp_project}"],
        }
        return {"title": panel.title, "logsPanel": log}
    query = {"prometheusQuery": _query(config, panel.line), "unitOverride": panel.unit}
    data = {"timeSeriesQuery": query, "plotType": "LINE", "targetAxis": "Y1"}
    return {
        "title": panel.title,
        "xyChart": {"dataSets": [data], "yAxis": {"label": panel.axis, "scale": "LINEAR"}},
    }


def _condition(config: StackConfig, alarm: Alarm) -> str:
    return f"{_query(config, alarm.line)} > {alarm.threshold:g} and {_query(config, alarm.events)} >= {ENOUGH_EVENTS}"


def _query(config: StackConfig, line: Line) -> str:
    if isinstance(line, Percent):
        return f"100 * {_query(config, line.part)} / ({' + '.join(_query(config, signal) for signal in line.whole)})"
    by = APP_METRICS[line.metric] if isinstance(line, App) and line.split else None
    metric, labels = _series(config, line)
    selector = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    if line.statistic in ("sum", "count"):
        grouped = f"sum by ({by}) " if by else "sum"
        return f"{grouped}(increase({metric}{{{selector}}}[{WINDOW_SECONDS}s]))"
    rate = f"rate({metric}_bucket{{{selector}}}[{WINDOW_SECONDS}s])"
    quantile = int(line.statistic.removeprefix("p")) / 100
    return f"histogram_quantile({quantile}, sum by ({', '.join(filter(None, ('le', by)))}) ({rate}))"


def _series(config: StackConfig, signal: Signal) -> tuple[str, dict[str, str]]:
    """A metric's name in PromQL and the labels to select by; a distribution's name lacks `_bucket`."""
    service = {"monitored_resource": "cloud_run_revision", "service_name": config.name}
    if isinstance(signal, App):
        suffix = f"_{signal.statistic}" if signal.statistic in ("sum", "count") else ""
        dimension = APP_METRICS[signal.metric]
        only = {dimension: signal.only} if dimension and signal.only else {}
        prefix = f"logging_googleapis_com:user_{config.name.replace('-', '_')}"
        return f"{prefix}_{signal.metric}{suffix}", service | only
    if signal.what == "latency":
        return "run_googleapis_com:request_latencies", service
    return "run_googleapis_com:request_count", service | REQUESTS[signal.what]
