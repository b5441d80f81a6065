"""What AWS bills for each type of resource."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from docs.costs.month import (
    ARCHIVE,
    DAYS,
    GB,
    ITEM_OVERHEAD,
    MILLISECONDS,
    NEW_PICTURES,
    PICTURE,
    PICTURED,
    SECONDS,
    USER,
    Usage,
    read_units,
    write_units,
)
from docs.costs.prices import Line
from stacks.rollout import KEPT_RELEASES
from stacks.signals import APP_METRICS

LOG = {"function": 1.5, "requests": 0.3}
"""KB that a request writes into the log groups of these names."""
COMPRESSED = 0.15
"""The share of its size in which CloudWatch stores a log, as AWS's pricing calculator assumes."""
TRACED = 0.05
"""The share of the requests that X-Ray samples, beyond the first of each second."""

type Inputs = Mapping[str, Any]


def http_api(_name: str, _inputs: Inputs, usage: Usage) -> Iterator[Line]:
    yield Line("front door", "HTTP API", usage.requests)
    yield Line("egress", "AWS egress", usage.each(answer=1) / GB)


def function(_name: str, inputs: Inputs, usage: Usage) -> Iterator[Line]:
    gb = inputs["memorySize"] / 1024
    yield Line("compute", "Lambda requests", usage.requests)
    yield Line("compute", "Lambda duration", usage.requests * MILLISECONDS / 1000 * gb)
    if inputs.get("snapStart", {}).get("applyOn") == "PublishedVersions":
        yield Line("SnapStart", "SnapStart cache", KEPT_RELEASES * SECONDS * gb)
        yield Line("SnapStart", "SnapStart restore", usage.starts * gb)
    metrics = sum(usage.series(metric, dimension) for metric, dimension in APP_METRICS.items())
    yield Line("custom metrics", "CloudWatch metrics", metrics)
    if inputs["tracingConfig"]["mode"] == "Active":
        first = min(usage.requests, SECONDS)
        yield Line("tracing", "X-Ray", first + (usage.requests - first) * TRACED)


def table(name: str, inputs: Inputs, usage: Usage) -> Iterator[Line]:
    """A table named `pictures` has the pictures. What writes a picture is a transaction, and so are deletes."""
    if name == "pictures":
        kb, items = PICTURE, usage.pictures
        reads = usage.each(pictures=read_units(PICTURE))
        written = NEW_PICTURES * 2 * write_units(PICTURE)
        deleted = 2 * (PICTURED * write_units(PICTURE) + (1 - PICTURED) * write_units(0))
    else:
        kb, items = USER, usage.users
        reads = usage.each(reads=read_units(USER), listed=USER / 4)
        written = (1 - NEW_PICTURES) * write_units(USER) + NEW_PICTURES * 2 * write_units(USER)
        deleted = 2 * write_units(USER)
    stored = items * (kb + ITEM_OVERHEAD) / GB
    yield Line(name, "DynamoDB reads", reads)
    yield Line(name, "DynamoDB writes", usage.each(writes=written, deletes=deleted))
    yield Line(name, "DynamoDB storage", stored)
    if inputs["pointInTimeRecovery"]["enabled"]:
        yield Line("recovery", "DynamoDB point-in-time recovery", stored)


def log_group(name: str, inputs: Inputs, usage: Usage) -> Iterator[Line]:
    gb = usage.requests * LOG[name] / GB
    yield Line("logs", "CloudWatch Logs", gb)
    yield Line("logs", "CloudWatch Logs storage", gb * COMPRESSED * inputs["retentionInDays"] / DAYS)


def alarm(_name: str, inputs: Inputs, _usage: Usage) -> Iterator[Line]:
    yield Line("alarms", "CloudWatch alarms", sum("metric" in query for query in inputs["metricQueries"]))


def dashboard(_name: str, _inputs: Inputs, _usage: Usage) -> Iterator[Line]:
    yield Line("dashboard", "CloudWatch dashboards", 1)


def archive(_name: str, _inputs: Inputs, _usage: Usage) -> Iterator[Line]:
    yield Line("artifacts", "S3", KEPT_RELEASES * ARCHIVE / GB)


BILLED: dict[str, Callable[[str, Inputs, Usage], Iterator[Line]]] = {
    "aws:apigatewayv2/api:Api": http_api,
    "aws:cloudwatch/dashboard:Dashboard": dashboard,
    "aws:cloudwatch/logGroup:LogGroup": log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": alarm,
    "aws:dynamodb/table:Table": table,
    "aws:lambda/function:Function": function,
    "aws:s3/bucketObjectv2:BucketObjectv2": archive,
}
