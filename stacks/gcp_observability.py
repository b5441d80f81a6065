"""The app's metrics, the dashboard and the alarms on Cloud Monitoring, and who is told.

The app's JSON lines become log-based metrics with the names and dimensions that CloudWatch has. Each is a distribution,
since only those take a number out of a line: its count says how often, its sum how many, its buckets how long.
Their names in PromQL: cloud.google.com/monitoring/promql/promql-mapping
"""

import json
from typing import Any

import pulumi
from pulumi_gcp import logging, monitoring

from stacks.config import StackConfig
from stacks.gcp_logs import logs_of
from stacks.observability import (
    APP_METRICS,
    ENOUGH_EVENTS,
    PANELS,
    WINDOW_SECONDS,
    WINDOWS_BEFORE_ALARM,
    Alarm,
    App,
    Line,
    Panel,
    Percent,
    Signal,
    alarms,
)

COLUMNS = 3
REQUESTS = {"requests": {}, "failures": {"response_code_class": "5xx"}, "throttled": {"response_code": "429"}}


class Watch:
    """What shows how the stack does, and tells `config.alarm_email` when it does badly."""

    def __init__(self, config: StackConfig, opts: pulumi.ResourceOptions) -> None:
        self._config = config
        for metric, dimension in APP_METRICS.items():
            self._log_based(metric, dimension, opts)
        dashboard = {
            "displayName": config.name,
            "gridLayout": {"columns": str(COLUMNS), "widgets": [self._widget(panel) for panel in PANELS]},
        }
        monitoring.Dashboard("stack", dashboard_json=json.dumps(dashboard), opts=opts)
        channels = [self._channel(config.alarm_email, opts).id] if config.alarm_email else []
        for alarm in alarms(config.persistence):
            monitoring.AlertPolicy(
                alarm.name,
                display_name=f"{config.name}-{alarm.name}",
                combiner="OR",
                conditions=[
                    {
                        "display_name": alarm.name,
                        "condition_prometheus_query_language": {
                            "query": self._condition(alarm),
                            # The query looks one window back itself.
                            "duration": f"{(WINDOWS_BEFORE_ALARM - 1) * WINDOW_SECONDS}s",
                            "evaluation_interval": "60s",
                            # A metric is there with its first line in the log.
                            "disable_metric_validation": True,
                        },
                    }
                ],
                documentation={"content": alarm.runbook, "mime_type": "text/markdown"},
                notification_channels=channels,
                user_labels=config.tags,
                opts=opts,
            )

    def _log_based(self, metric: str, dimension: str, opts: pulumi.ResourceOptions) -> logging.Metric:
        return logging.Metric(
            metric,
            name=f"{self._config.name}/{metric}",
            filter=f"{logs_of(self._config)} AND jsonPayload.{metric}:*",
            value_extractor=f"EXTRACT(jsonPayload.{metric})",
            label_extractors={dimension: f"EXTRACT(jsonPayload.{dimension})"},
            metric_descriptor={
                "metric_kind": "DELTA",
                "value_type": "DISTRIBUTION",
                "unit": "ms" if metric.endswith("Time") else "1",
                "labels": [{"key": dimension, "value_type": "STRING"}],
            },
            # From 1 to 56,000, each a fifth wider than the one before: percentiles are as exact.
            bucket_options={"exponential_buckets": {"scale": 1, "growth_factor": 1.2, "num_finite_buckets": 60}},
            opts=opts,
        )

    def _channel(self, email: str, opts: pulumi.ResourceOptions) -> monitoring.NotificationChannel:
        return monitoring.NotificationChannel(
            "alarms",
            type="email",
            display_name=f"{self._config.name}-alarms",
            labels={"email_address": email},
            user_labels=self._config.tags,
            opts=opts,
        )

    def _widget(self, panel: Panel) -> dict[str, Any]:
        query = {"prometheusQuery": self._query(panel.line), "unitOverride": panel.unit}
        data = {"timeSeriesQuery": query, "plotType": "LINE", "targetAxis": "Y1"}
        return {
            "title": panel.title,
            "xyChart": {"dataSets": [data], "yAxis": {"label": panel.axis, "scale": "LINEAR"}},
        }

    def _condition(self, alarm: Alarm) -> str:
        return f"{self._query(alarm.line)} > {alarm.threshold:g} and {self._query(alarm.events)} >= {ENOUGH_EVENTS}"

    def _query(self, line: Line) -> str:
        if isinstance(line, Percent):
            return f"100 * {self._query(line.part)} / ({' + '.join(map(self._query, line.whole))})"
        by = APP_METRICS[line.metric] if isinstance(line, App) and line.split else ""
        metric, labels = self._series(line)
        selector = ", ".join(f'{name}="{value}"' for name, value in labels.items())
        if line.statistic in ("sum", "count"):
            grouped = f"sum by ({by}) " if by else "sum"
            return f"{grouped}(increase({metric}{{{selector}}}[{WINDOW_SECONDS}s]))"
        rate = f"rate({metric}_bucket{{{selector}}}[{WINDOW_SECONDS}s])"
        quantile = int(line.statistic.removeprefix("p")) / 100
        return f"histogram_quantile({quantile}, sum by ({', '.join(filter(None, ('le', by)))}) ({rate}))"

    def _series(self, signal: Signal) -> tuple[str, dict[str, str]]:
        """A metric's name in PromQL and the labels to select by; a distribution's name lacks `_bucket`."""
        service = {"monitored_resource": "cloud_run_revision", "service_name": self._config.name}
        if isinstance(signal, App):
            suffix = f"_{signal.statistic}" if signal.statistic in ("sum", "count") else ""
            only = {APP_METRICS[signal.metric]: signal.only} if signal.only else {}
            prefix = f"logging_googleapis_com:user_{self._config.name.replace('-', '_')}"
            return f"{prefix}_{signal.metric}{suffix}", service | only
        if signal.what == "latency":
            return "run_googleapis_com:request_latencies", service
        return "run_googleapis_com:request_count", service | REQUESTS[signal.what]
