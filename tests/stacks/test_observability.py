"""Dashboards, alarms and log-based metrics are the same on both clouds, and use metrics that the app emits."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from google.cloud.monitoring_dashboard_v1.types import Dashboard
from google.protobuf import json_format

from stacks.config import StackConfig
from stacks.signals import APP_METRICS
from tests.stacks import watched
from tests.stacks.deployment import Deployment, deploy
from tests.stacks.test_both import environment
from tests.stacks.watched import Named, named

NOWHERE = "http://127.0.0.1:1"
AWS_KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
ALARMS = ["cache-failing", "error-rate", "latency", "store-failing", "throttles"]
# docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
# docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
AWS_COUNTS = {
    *(named("AWS/ApiGateway", metric, {"ApiId": "api-id"}) for metric in ("Count", "5xx", "Latency")),
    named("AWS/Lambda", "Throttles", {"FunctionName": "better-together-aws"}),
}
# cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
SERVICE = {"monitored_resource": "cloud_run_revision", "service_name": "better-together-gcp"}
GOOGLE_COUNTS = {
    named("", "run_googleapis_com:request_latencies_bucket", SERVICE),
    *(
        named("", "run_googleapis_com:request_count", SERVICE | answers)
        for answers in ({}, {"response_code_class": "5xx"}, {"response_code": "429"})
    ),
}


@pytest.fixture(scope="module")
def watched_aws() -> Deployment:
    return deploy("aws", {"better-together:alarmEmail": "ops@example.com"})


@pytest.fixture(scope="module")
def watched_gcp() -> Deployment:
    return deploy("gcp", {"better-together:alarmEmail": "ops@example.com"})


def lines(
    root: Path, stack: Deployment, more: Mapping[str, str], program: str = "tests.app.cached_read"
) -> list[dict[str, Any]]:
    """What the app logs about the program's requests with the stack's environment, in which Momento is unreachable."""
    command = [root / "app/.venv/bin/python", "-m", program]
    environ = {"PATH": os.environ["PATH"], **environment(stack), "MOMENTO_ENDPOINT": NOWHERE, **more}
    output = subprocess.run(command, cwd=root, env=environ, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture(scope="module")
def aws_lines(root: Path, watched_aws: Deployment) -> list[dict[str, Any]]:
    key = {"MOMENTO_API_KEY": "key", "MOMENTO_API_KEY_PARAMETER": ""}
    return lines(root, watched_aws, AWS_KEYS | key | {"AWS_ENDPOINT_URL": NOWHERE})


@pytest.fixture(scope="module")
def gcp_lines(root: Path, watched_gcp: Deployment) -> list[dict[str, Any]]:
    return lines(root, watched_gcp, {"FIRESTORE_EMULATOR_HOST": NOWHERE.removeprefix("http://")})


def emf_metrics(lines: list[dict[str, Any]]) -> set[Named]:
    """The metrics that CloudWatch extracts from the lines."""
    return {
        named(directive["Namespace"], metric["Name"], {name: line[name] for name in dimensions})
        for line in lines
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", [])
        for metric in directive["Metrics"]
        for dimensions in directive["Dimensions"]
    }


def with_any_value(metrics: set[Named]) -> set[Named]:
    return {Named(m.namespace, m.metric, frozenset((name, None) for name, _ in m.labels)) for m in metrics}


def filtered_metrics(stack: Deployment) -> set[Named]:
    """The metrics that CloudWatch makes of other logs."""
    filters = [r.inputs["metricTransformation"] for r in stack.resources if r.type.endswith("LogMetricFilter")]
    return {named(found["namespace"], found["name"], found.get("dimensions", {})) for found in filters}


def test_all_requests_together_are_at_most_25_custom_metrics(root: Path) -> None:
    stack = deploy("aws", {"better-together:corsOrigins": "https://www.example.com"})
    emitted = emf_metrics(lines(root, stack, AWS_KEYS, "tests.app.every_request"))
    operations = {
        f"{method.upper()}:{path}"
        for path, methods in json.loads((root / "openapi.json").read_text())["paths"].items()
        for method in methods.keys() & {"get", "post", "put", "delete"}
    }
    assert {value for m in emitted for name, value in m.labels if name == "API"} == operations | {"OTHER"}
    assert {value for m in emitted for name, value in m.labels if name == "upstream"} == {"dynamodb", "momento"}
    assert {m.metric for m in emitted} == APP_METRICS.keys()
    assert len(emitted | filtered_metrics(stack)) <= 25


def test_cloudwatch_is_shown_what_the_app_and_aws_count(
    watched_aws: Deployment, aws_lines: list[dict[str, Any]]
) -> None:
    emitted = emf_metrics(aws_lines)
    counted = AWS_COUNTS | filtered_metrics(watched_aws)
    shown = set(watched.cloudwatch_metrics(watched_aws))
    assert shown - counted - emitted - with_any_value(emitted) == set()
    assert counted <= shown
    assert {m.metric for m in emitted} <= {m.metric for m in shown}


def test_cloud_monitoring_is_shown_what_the_app_and_google_count(
    watched_gcp: Deployment, gcp_lines: list[dict[str, Any]]
) -> None:
    emitted: set[Named] = set()
    for metric in watched.log_based(watched_gcp):
        for entry in entries(watched_gcp, gcp_lines, metric):
            labels = {key: watched.extract(path, entry) for key, path in metric["labelExtractors"].items()}
            for suffix in ("bucket", "count", "sum"):
                for values in ({}, labels, dict.fromkeys(labels)):
                    emitted.add(named("", f"{watched.promql_name(metric)}_{suffix}", SERVICE | values))
    shown = {metric for query in watched.promql(watched_gcp) for metric in watched.promql_metrics(query)}
    assert shown - GOOGLE_COUNTS - emitted == set()
    assert shown >= GOOGLE_COUNTS


def test_every_metric_of_emf_is_a_log_based_one_too(
    watched_gcp: Deployment, aws_lines: list[dict[str, Any]], gcp_lines: list[dict[str, Any]]
) -> None:
    emf = {(m.metric, tuple(name for name, _ in m.labels)) for m in emf_metrics(aws_lines)}
    metrics = watched.log_based(watched_gcp)
    assert {(m["name"].removeprefix("better-together-gcp/"), tuple(m["labelExtractors"])) for m in metrics} == emf
    for metric in metrics:
        found = entries(watched_gcp, gcp_lines, metric)
        assert found, metric
        assert all(isinstance(watched.extract(metric["valueExtractor"], entry), int | float) for entry in found)
        labels = [label["key"] for label in metric["metricDescriptor"]["labels"]]
        assert labels == list(metric["labelExtractors"])
        for path in metric["labelExtractors"].values():
            assert all(isinstance(watched.extract(path, entry), str) for entry in found)


def test_failed_requests_are_found_in_the_logs(
    watched_aws: Deployment, watched_gcp: Deployment, aws_lines: list[dict[str, Any]], gcp_lines: list[dict[str, Any]]
) -> None:
    [query] = [p["properties"]["query"] for p in watched.cloudwatch_panels(watched_aws) if p["type"] == "log"]
    group = watched_aws.inputs("LogGroup", "function")["name"]
    assert query.startswith(f"SOURCE '{group}' | filter Errors > 0 | stats count(*) as Failed by API, status |")
    [failed] = [line for line in aws_lines if line.get("Errors", 0) > 0]
    assert (failed["API"], failed["status"]) == ("GET:/cached-users/{user_id}", 503)

    [found] = [panel["logsPanel"] for panel in watched.cloud_monitoring_panels(watched_gcp) if "logsPanel" in panel]
    assert found["resourceNames"] == ["projects/a-project"]
    matching = [line for line in gcp_lines if watched.matches(found["filter"], watched.log_entry(watched_gcp, line))]
    assert [line["API"] for line in matching] == ["GET:/cached-users/{user_id}"]


def test_lines_of_other_services_and_other_lines_are_not_counted(
    watched_gcp: Deployment, gcp_lines: list[dict[str, Any]]
) -> None:
    for metric in watched.log_based(watched_gcp):
        entry, *_ = entries(watched_gcp, gcp_lines, metric)
        entry["resource"]["labels"]["service_name"] = "another"
        assert not watched.matches(metric["filter"], entry)
    assert not [m for m in watched.log_based(watched_gcp) if entries(watched_gcp, [{"message": "hello"}], m)]


def entries(stack: Deployment, lines: list[dict[str, Any]], metric: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries that the metric counts."""
    found = [watched.log_entry(stack, line) for line in lines]
    return [entry for entry in found if watched.matches(metric["filter"], entry)]


def test_both_clouds_show_the_same_panels(watched_aws: Deployment, watched_gcp: Deployment) -> None:
    aws, gcp = watched.cloudwatch_panels(watched_aws), watched.cloud_monitoring_panels(watched_gcp)
    assert [panel["properties"]["title"] for panel in aws] == [panel["title"] for panel in gcp]
    assert [panel["properties"]["yAxis"]["left"]["label"] for panel in aws if panel["type"] == "metric"] == [
        panel["xyChart"]["yAxis"]["label"] for panel in gcp if "xyChart" in panel
    ]
    assert [panel["type"] == "log" for panel in aws] == ["logsPanel" in panel for panel in gcp]


def test_both_clouds_have_the_same_alarms(watched_aws: Deployment, watched_gcp: Deployment) -> None:
    aws, gcp = watched.alarms(watched_aws), watched.alarms(watched_gcp)
    assert [alarm["name"] for alarm in aws] == [f"better-together-aws-{name}" for name in ALARMS]
    assert [alarm["displayName"] for alarm in gcp] == [f"better-together-gcp-{name}" for name in ALARMS]
    assert [alarm["alarmDescription"] for alarm in aws] == [alarm["documentation"]["content"] for alarm in gcp]
    assert {alarm["evaluationPeriods"] for alarm in aws} == {2}
    assert {watched.condition(alarm)["duration"] for alarm in gcp} == {"300s"}


def test_panels_and_alarms_follow_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StackConfig, "cache", "valkey")
    aws, gcp = deploy("aws"), deploy("gcp")
    assert "valkey" in json.dumps(watched.alarms(aws)[ALARMS.index("cache-failing")]["metricQueries"])
    shown = [*watched.cloudwatch_panels(aws), *watched.alarms(aws), *watched.promql(gcp), *watched.alarms(gcp)]
    assert "momento" not in json.dumps(shown)


@pytest.mark.parametrize(
    ("name", "part", "whole", "expected"),
    [
        ("error-rate", 5, 100, False),
        ("error-rate", 6, 100, True),
        ("error-rate", 19, 19, False),
        ("error-rate", 20, 20, True),
        ("error-rate", 0, 20, False),
        ("latency", 2000, 20, False),
        ("latency", 2001, 20, True),
        ("latency", 2001, 19, False),
        ("throttles", 2, 200, False),
        ("throttles", 3, 200, True),
        ("cache-failing", 50, 100, False),
        ("cache-failing", 51, 100, True),
        ("store-failing", 5, 100, False),
        ("store-failing", 6, 100, True),
        ("store-failing", 19, 19, False),
    ],
)
def test_an_alarm_goes_off_above_its_threshold_and_not_for_a_few_events(
    watched_aws: Deployment, watched_gcp: Deployment, name: str, part: int, whole: int, expected: bool
) -> None:
    aws, gcp = (watched.alarms(stack)[ALARMS.index(name)] for stack in (watched_aws, watched_gcp))
    assert watched.cloudwatch_goes_off(aws, part, whole) is expected
    assert watched.cloud_monitoring_goes_off(gcp, part, whole) is expected


def test_nothing_to_count_is_no_alarm(watched_aws: Deployment) -> None:
    for alarm in watched.alarms(watched_aws):
        assert alarm["treatMissingData"] == "notBreaching"
        if "latency" not in alarm["name"]:
            assert not watched.cloudwatch_goes_off(alarm, None, 100)
        assert "SEARCH" not in json.dumps(alarm), "CloudWatch takes none in an alarm"


def test_a_flood_is_an_alarm_though_nobody_counts_what_is_turned_away() -> None:
    """docs.aws.amazon.com/apigateway/latest/developerguide/http-api-monitor.html"""
    stack = deploy("aws", {"better-together:throttleRate": "100"})
    alarm = watched.alarms(stack)[ALARMS.index("throttles")]
    near_the_limit = 100 * 300 * 9 // 10
    assert not watched.cloudwatch_goes_off(alarm, None, near_the_limit - 1)
    assert watched.cloudwatch_goes_off(alarm, None, near_the_limit)


def test_cloudwatch_takes_the_dashboard(watched_aws: Deployment) -> None:
    """docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""
    assert re.fullmatch(r"[\w-]{1,255}", watched_aws.inputs("dashboard:Dashboard")["dashboardName"])
    taken: set[tuple[int, int]] = set()
    for panel in watched.cloudwatch_panels(watched_aws):
        properties, kind = panel.pop("properties"), panel.pop("type")
        assert panel.keys() == {"x", "y", "width", "height"}
        columns, rows = (range(panel[at], panel[at] + panel[size]) for at, size in (("x", "width"), ("y", "height")))
        place = {(x, y) for x in columns for y in rows}
        assert not place & taken
        assert max(columns) < 24
        taken |= place
        assert properties["region"] == "us-east-1"
        if kind == "log":
            assert properties.keys() == {"title", "region", "view", "query"}
            assert properties["view"] == "table"
            continue
        assert kind == "metric"
        assert properties.keys() == {"title", "region", "view", "period", "metrics", "yAxis"}
        assert properties["view"] == "timeSeries"
        check_metrics(properties["metrics"])


def check_metrics(rows: list[list[Any]]) -> None:
    """The rows of a widget are hidden metrics and one expression, which refers only to their ids."""
    ids = [row[-1]["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]\w*", name) for name in ids)
    *metrics, [expression] = rows
    assert all(row[-1].keys() == {"id", "stat", "visible"} and row[-1]["visible"] is False for row in metrics)
    assert expression.keys() == {"id", "expression", "label"}
    assert set(re.findall(r"\bm\d+\b", expression["expression"])) == set(ids) - {"line"}


def test_cloud_monitoring_takes_the_dashboard_and_answers_with_the_same(watched_gcp: Deployment) -> None:
    given = json.loads(watched_gcp.inputs("dashboard:Dashboard")["dashboardJson"])
    of_google: Any = Dashboard
    dashboard = json_format.ParseDict(given, of_google.pb(of_google()))
    assert json_format.MessageToDict(dashboard) == given, "what the API leaves out would be a change with every up"


def test_alarms_notify_the_address(watched_aws: Deployment, watched_gcp: Deployment) -> None:
    subscription = watched_aws.inputs("TopicSubscription")
    assert subscription == {"topic": "arn:test:alarms", "protocol": "email", "endpoint": "ops@example.com"}
    for alarm in watched.alarms(watched_aws):
        assert alarm["alarmActions"] == alarm["okActions"] == ["arn:test:alarms"]
    channel = watched_gcp.inputs("NotificationChannel")
    assert (channel["type"], channel["labels"]) == ("email", {"email_address": "ops@example.com"})
    assert [alarm["notificationChannels"] for alarm in watched.alarms(watched_gcp)] == [["alarms-id"]] * len(ALARMS)


def test_without_an_address_there_are_alarms_that_notify_nobody(aws: Deployment, gcp: Deployment) -> None:
    notifiers = ("Topic", "TopicSubscription", "NotificationChannel")
    assert not [r for r in (*aws.resources, *gcp.resources) if r.type.rpartition(":")[2] in notifiers]
    assert [alarm["alarmActions"] for alarm in watched.alarms(aws)] == [[]] * len(ALARMS)
    assert [alarm["notificationChannels"] for alarm in watched.alarms(gcp)] == [[]] * len(ALARMS)


def test_what_api_gateway_turns_away_is_counted(aws: Deployment) -> None:
    found = aws.inputs("LogMetricFilter")
    assert found["logGroupName"] == aws.inputs("LogGroup", "requests")["name"]
    field = re.fullmatch(r'\{ \$\.(\w+) = "429" \}', found["pattern"])
    assert field
    assert json.loads(aws.inputs("Stage")["accessLogSettings"]["format"])[field[1]] == "$context.status"


def test_tracing_is_off(aws: Deployment, gcp: Deployment) -> None:
    assert aws.inputs("lambda/function:Function")["tracingConfig"] == {"mode": "PassThrough"}
    assert "xray" not in aws.inputs("RolePolicy")["policy"]
    assert "TRACE_PROJECT" not in environment(gcp)


def test_tracing_by_config() -> None:
    config = {"better-together:tracing": "true"}
    aws, gcp = deploy("aws", config), deploy("gcp", config)
    assert aws.inputs("lambda/function:Function")["tracingConfig"] == {"mode": "Active"}
    statements = json.loads(aws.inputs("RolePolicy")["policy"])["Statement"]
    everywhere = [statement["Action"] for statement in statements if statement["Resource"] == "*"]
    assert everywhere == [["xray:PutTraceSegments", "xray:PutTelemetryRecords"]]
    assert environment(gcp)["TRACE_PROJECT"] == "a-project"
    assert gcp.inputs("projects/service:Service", "cloudtrace")["service"] == "cloudtrace.googleapis.com"


def test_logs_that_google_keeps_as_long_anyway_stay_there(gcp: Deployment) -> None:
    assert not [r for r in gcp.resources if re.search(":Project(BucketConfig|Sink|Exclusion)$", r.type)]


def test_logs_are_kept_in_a_bucket_of_their_own_for_another_time() -> None:
    stack = deploy("gcp", {"better-together:logRetentionDays": "90"})
    bucket, sink, exclusion = (stack.inputs(f"Project{kind}") for kind in ("BucketConfig", "Sink", "Exclusion"))
    assert (bucket["retentionDays"], bucket["location"]) == (90, "us-central1")
    assert bucket["deletionPolicy"] == "ABANDON", "the name of a deleted one is blocked for a week"
    assert sink["destination"] == "logging.googleapis.com/logs-id"
    assert "uniqueWriterIdentity" not in sink, "there is no writer in one project, and the provider reads true back"
    assert sink["filter"] == exclusion["filter"]
    assert watched.matches(sink["filter"], watched.log_entry(stack, {"message": "hello"}))
    assert "gcp:logging/projectSink:ProjectSink::logs" in stack.one("ProjectExclusion").needs
