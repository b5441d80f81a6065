"""What Google Cloud bills for each type of resource."""

from collections.abc import Callable, Iterator, Mapping
from math import ceil
from typing import Any

from docs.costs.month import (
    ARCHIVE,
    DAYS,
    GB,
    ITEM_OVERHEAD,
    MB,
    MILLISECONDS,
    PICTURE,
    SECONDS,
    USER,
    Usage,
)
from docs.costs.prices import Line
from stacks.gcp_logs import DEFAULT_RETENTION_DAYS
from stacks.rollout import KEPT_RELEASES

LOG = 2.5
"""KB that Cloud Run and the app log of a request."""
ROUNDED = 0.1
"""The seconds to which Cloud Run rounds up how long an instance is busy."""
START_SECONDS, START_BOOST = 2, 2
"""How long an instance starts, and how many times its CPU it has meanwhile, with startup CPU boost."""
GIB_OF = {"Mi": 1 / 1024, "Gi": 1}
POINT_KB = {"DISTRIBUTION": 0.08, "INT64": 0.008}
"""A value in Cloud Monitoring, one a minute for each time series."""

type Inputs = Mapping[str, Any]


def service(_name: str, inputs: Inputs, usage: Usage) -> Iterator[Line]:
    """Cloud Run bills an instance from its first request to the end of its last one: here no requests overlap."""
    container = inputs["template"]["containers"][0]
    cpu, gib = _limits(container["resources"]["limits"])
    boost = START_BOOST if container["resources"]["startupCpuBoost"] else 1
    busy = usage.requests * ceil(MILLISECONDS / 1000 / ROUNDED) * ROUNDED
    starting = usage.starts * START_SECONDS
    warm = inputs["scaling"]["minInstanceCount"] * SECONDS
    probes = warm / container["livenessProbe"]["periodSeconds"]
    idle = max(0, warm - busy - probes * ROUNDED)
    yield Line("front door", "Cloud Run requests", usage.requests)
    yield Line("compute", "Cloud Run CPU", cpu * (busy + starting * boost))
    yield Line("compute", "Cloud Run memory", gib * (busy + starting))
    if warm:
        yield Line("min instances", "Cloud Run CPU", cpu * probes * ROUNDED)
        yield Line("min instances", "Cloud Run memory", gib * probes * ROUNDED)
        yield Line("min instances", "Cloud Run idle CPU", cpu * idle)
        yield Line("min instances", "Cloud Run idle memory", gib * idle)
    yield Line("logs", "Cloud Logging", (usage.requests + probes) * LOG / GB)
    yield Line("egress", "Google Cloud egress", usage.each(answer=1, filled=1) / GB)


def _limits(limits: Mapping[str, str]) -> tuple[float, float]:
    """The CPUs and the GiB of an instance."""
    return float(limits["cpu"]), float(limits["memory"][:-2]) * GIB_OF[limits["memory"][-2:]]


def database(_name: str, inputs: Inputs, usage: Usage) -> Iterator[Line]:
    """A picture is in its user's document, so only its bytes are billed beside the user's."""
    yield Line("users", "Firestore reads", usage.each(reads=1, listed=1))
    yield Line("users", "Firestore writes", usage.each(writes=1))
    yield Line("users", "Firestore deletes", usage.each(deletes=1))
    yield Line("users", "Firestore storage", usage.users * (USER + ITEM_OVERHEAD) / GB)
    yield Line("pictures", "Firestore storage", usage.pictures * PICTURE / GB)
    if inputs["pointInTimeRecoveryEnablement"] == "POINT_IN_TIME_RECOVERY_ENABLED":
        yield Line("recovery", "Firestore point-in-time recovery", _stored(usage))


def backups(_name: str, inputs: Inputs, usage: Usage) -> Iterator[Line]:
    """A whole copy each day."""
    yield Line("recovery", "Firestore backups", int(inputs["retention"].removesuffix("s")) / 86400 * _stored(usage))


def _stored(usage: Usage) -> float:
    return (usage.users * (USER + ITEM_OVERHEAD) + usage.pictures * PICTURE) / GB


def metric(name: str, inputs: Inputs, usage: Usage) -> Iterator[Line]:
    series = usage.series(name, next(iter(inputs.get("labelExtractors", {})), None))
    points = series * SECONDS / 60
    kind = inputs["metricDescriptor"]["valueType"]
    yield Line("custom metrics", "Cloud Monitoring metrics", points * POINT_KB[kind] / MB)


def log_bucket(_name: str, inputs: Inputs, usage: Usage) -> Iterator[Line]:
    months = (inputs["retentionDays"] - DEFAULT_RETENTION_DAYS) / DAYS
    yield Line("logs", "Cloud Logging retention", usage.requests * LOG / GB * months)


def secret(_name: str, _inputs: Inputs, usage: Usage) -> Iterator[Line]:
    yield Line("key", "Secret Manager", 1)
    yield Line("key", "Secret Manager access", usage.starts)


def archive(_name: str, _inputs: Inputs, _usage: Usage) -> Iterator[Line]:
    yield Line("artifacts", "Cloud Storage", KEPT_RELEASES * ARCHIVE / GB)


BILLED: dict[str, Callable[[str, Inputs, Usage], Iterator[Line]]] = {
    "gcp:cloudrunv2/service:Service": service,
    "gcp:firestore/backupSchedule:BackupSchedule": backups,
    "gcp:firestore/database:Database": database,
    "gcp:logging/metric:Metric": metric,
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": log_bucket,
    "gcp:secretmanager/secretVersion:SecretVersion": secret,
    "gcp:storage/bucketObject:BucketObject": archive,
}
