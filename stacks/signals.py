"""Signals: the metrics of the app and of the front door, and how panels and alarms combine them.

aws_metrics.py and gcp_observability.py render them for CloudWatch and Cloud Monitoring.
"""

from dataclasses import dataclass
from typing import Literal

WINDOW_SECONDS = 300
"""The period that every count and percentile covers."""
WINDOWS_BEFORE_ALARM = 2
ENOUGH_EVENTS = 20
"""In a window with fewer events a percentage means little, and no alarm goes off."""

APP_METRICS = {
    "ProcessingTime": "API",
    "Errors": None,
    "ColdStarts": None,
    "UpstreamProcessingTime": "upstream",
    "UpstreamErrors": "upstream",
    "CacheHits": None,
    "CacheMisses": None,
    "CacheOperations": None,
}
"""Every metric that the app emits, with its dimension, if it has one. Times are in ms; all others are counts.

Both clouds bill each value of a dimension as a time series of its own.
"""

type Statistic = Literal["count", "sum", "p50", "p95", "p99"]
type Unit = Literal["1", "ms", "%"]


@dataclass(frozen=True)
class App:
    """A metric of the app. If it has a dimension: one value of it (`only`), or one line for each value (`split`).

    The statistic `count` is how often the metric was measured.
    """

    metric: str
    statistic: Statistic
    split: bool = False
    only: str | None = None


@dataclass(frozen=True)
class FrontDoor:
    """What the cloud itself counts: all requests, those answered with 5xx (`failures`) or with 429 (`throttled`)."""

    what: Literal["requests", "failures", "throttled", "latency"]
    statistic: Statistic = "sum"


type Signal = App | FrontDoor


@dataclass(frozen=True)
class Percent:
    """`part` in percent of the sum of `whole`."""

    part: Signal
    whole: tuple[Signal, ...]


type Line = Signal | Percent


@dataclass(frozen=True)
class Panel:
    title: str
    unit: Unit
    line: Line

    @property
    def axis(self) -> str:
        return f"in {WINDOW_SECONDS // 60} minutes" if self.unit == "1" else self.unit


@dataclass(frozen=True)
class FailedRequests:
    """A panel of the log lines of requests that failed, since errors by route would be a metric for each route."""

    title: str


REQUESTS = FrontDoor("requests")
ERROR_RATE = Percent(FrontDoor("failures"), (REQUESTS,))
THROTTLE_RATE = Percent(FrontDoor("throttled"), (REQUESTS,))
LATENCY = FrontDoor("latency", "p99")


@dataclass(frozen=True)
class Alarm:
    """Goes off when `line` is above `threshold` in WINDOWS_BEFORE_ALARM windows in a row, each with ENOUGH_EVENTS."""

    name: str
    line: Percent | FrontDoor
    threshold: float
    """In percent, or ms for a latency."""
    runbook: str

    @property
    def events(self) -> Signal:
        return self.line.whole[0] if isinstance(self.line, Percent) else REQUESTS
