"""Reads dashboards and alarms from the resources that a deployment registers."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import promql_parser
from promql_parser import AggregateExpr, Expr, VectorSelector

from tests.stacks.deployment import Deployment

SEARCH = re.compile(r"""SEARCH\('\{"([^"]+)",(\w+)\} MetricName="(\w+)"', '(SampleCount|Sum|p\d\d)', 300\)""")


@dataclass(frozen=True)
class Named:
    """A metric with its labels. None stands for any value of a label."""

    namespace: str
    metric: str
    labels: frozenset[tuple[str, str | None]]


def named(namespace: str, metric: str, labels: dict[str, Any]) -> Named:
    return Named(namespace, metric, frozenset(labels.items()))


def cloudwatch_panels(stack: Deployment) -> list[dict[str, Any]]:
    return json.loads(stack.inputs("dashboard:Dashboard")["dashboardBody"])["widgets"]


def cloud_monitoring_panels(stack: Deployment) -> list[dict[str, Any]]:
    return json.loads(stack.inputs("dashboard:Dashboard")["dashboardJson"])["gridLayout"]["widgets"]


def alarms(stack: Deployment) -> list[dict[str, Any]]:
    found = [r.inputs for r in stack.resources if r.type.endswith((":MetricAlarm", ":AlertPolicy"))]
    return sorted(found, key=lambda alarm: alarm.get("name") or alarm["displayName"])


def cloudwatch_metrics(stack: Deployment) -> Iterator[Named]:
    for panel in cloudwatch_panels(stack):
        for *parts, options in panel["properties"].get("metrics", []):
            if parts:
                yield named(parts[0], parts[1], dict(zip(parts[2::2], parts[3::2], strict=True)))
            for namespace, dimension, metric, _ in SEARCH.findall(options.get("expression", "")):
                yield named(namespace, metric, {dimension: None})
    for alarm in alarms(stack):
        for query in alarm["metricQueries"]:
            if "metric" in query:
                metric = query["metric"]
                yield named(metric["namespace"], metric["metricName"], metric["dimensions"])


def promql(stack: Deployment) -> list[str]:
    """Every query of the dashboard and the alarms."""
    panels = [
        data["timeSeriesQuery"]["prometheusQuery"]
        for panel in cloud_monitoring_panels(stack)
        if "xyChart" in panel
        for data in panel["xyChart"]["dataSets"]
    ]
    return panels + [condition(alarm)["query"] for alarm in alarms(stack)]


def condition(policy: dict[str, Any]) -> dict[str, Any]:
    [found] = policy["conditions"]
    return found["conditionPrometheusQueryLanguage"]


def promql_metrics(query: str) -> list[Named]:
    """The series that a query selects or groups by. Raises ValueError if it is not PromQL."""
    selected: list[VectorSelector] = []
    groups: set[str] = set()

    def visit(node: Expr) -> None:
        if isinstance(node, VectorSelector):
            selected.append(node)
        elif isinstance(node, AggregateExpr) and node.modifier:
            groups.update(node.modifier.labels)

    promql_parser.walk(promql_parser.parse(query), visit)
    return [
        named(
            "",
            cast(str, one.name),
            dict.fromkeys(groups - {"le"}) | {label.name: label.value for label in one.matchers.matchers},
        )
        for one in selected
    ]


def log_based(stack: Deployment) -> list[dict[str, Any]]:
    return [r.inputs for r in stack.resources if r.type == "gcp:logging/metric:Metric"]


def promql_name(metric: dict[str, Any]) -> str:
    """cloud.google.com/monitoring/promql/promql-mapping"""
    domain, path = "logging.googleapis.com", f"user/{metric['name']}"
    return f"{re.sub(r'[^A-Za-z0-9]', '_', domain)}:{re.sub(r'[^A-Za-z0-9]', '_', path)}"


def log_entry(stack: Deployment, line: dict[str, Any]) -> dict[str, Any]:
    """The log entry that Cloud Run creates from a JSON line."""
    service = stack.inputs("cloudrunv2/service:Service")["name"]
    resource = {"type": "cloud_run_revision", "labels": {"service_name": service}}
    return {"resource": resource, "jsonPayload": {name: value for name, value in line.items() if name != "severity"}}


def matches(query: str, entry: dict[str, Any]) -> bool:
    """Whether a filter of the forms `field="value"`, `field>0` and `field:*`, joined by AND, matches."""

    def holds(comparison: str) -> bool:
        if path := comparison.removesuffix(">0") if comparison.endswith(">0") else "":
            return (field(path, entry) or 0) > 0
        if path := comparison.removesuffix(":*") if comparison.endswith(":*") else "":
            return field(path, entry) is not None
        path, value = comparison.split("=")
        return field(path, entry) == json.loads(value)

    return all(map(holds, query.split(" AND ")))


def extract(extractor: str, entry: dict[str, Any]) -> Any:
    [path] = re.findall(r"^EXTRACT\(([\w.]+)\)$", extractor)
    return field(path, entry)


def field(path: str, entry: dict[str, Any]) -> Any:
    found: Any = entry
    for name in path.split("."):
        found = found.get(name)
    return found


def cloudwatch_goes_off(alarm: dict[str, Any], part: float | None, whole: float) -> bool:
    """Whether a window with `part` of `whole` events, or with a latency of `part` ms, is above the threshold."""

    def either(met: bool, value: float, otherwise: float) -> float:
        return value if met else otherwise

    def fill(value: float | None, default: float) -> float:
        return default if value is None else value

    values: dict[str, Any] = {"IF": either, "FILL": fill}
    for query in alarm["metricQueries"]:
        if "metric" in query:
            counted = {"Count": whole, "UpstreamProcessingTime": whole, "Throttles": 0}
            values[query["id"]] = counted.get(query["metric"]["metricName"], part)
    [result] = [query for query in alarm["metricQueries"] if query.get("returnData")]
    assert alarm["comparisonOperator"] == "GreaterThanThreshold"
    return eval(result["expression"], values) > alarm["threshold"]


def cloud_monitoring_goes_off(alarm: dict[str, Any], part: float, whole: float) -> bool:
    """The same on Cloud Monitoring: with numbers in place of the sums, the query is valid Python."""

    def count(match: re.Match[str]) -> str:
        return repr(part if "UpstreamErrors" in match[1] or "response_code" in match[2] else whole)

    query = re.sub(r"histogram_quantile\(.*?\)\)\)", repr(part), condition(alarm)["query"])
    return bool(eval(re.sub(r"sum\(increase\(([\w:]+)\{([^}]*)\}\[300s\]\)\)", count, query)))
