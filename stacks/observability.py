"""What is watched, said once for both clouds: the panels of the dashboard and the alarms.

aws_observability.py and gcp_observability.py render it. The alarms on errors and latency listen to the front door: an
app that does not start counts nothing.
"""

from dataclasses import dataclass
from typing import Literal

WINDOW_SECONDS = 300
"""What is counted, and what a percentile is of: the events of so long a time."""
WINDOWS_BEFORE_ALARM = 2
ENOUGH_EVENTS = 20
"""In a window with fewer, a percentage says nothing, and no alarm goes off."""

APP_METRICS = {
    "ProcessingTime": "API",
    "Errors": "API",
    "ColdStarts": "API",
    "UpstreamProcessingTime": "upstream",
    "UpstreamErrors": "upstream",
    "CacheHits": "upstream",
    "CacheMisses": "upstream",
}
"""Every metric of app/metrics.py by its name, and its dimension. Times are in ms, the rest are counts."""

type Statistic = Literal["count", "sum", "p50", "p95", "p99"]
type Unit = Literal["1", "ms", "%"]


@dataclass(frozen=True)
class App:
    """A metric of the app: in all, for `only` one value of its dimension, or `split` into one line for each value.

    The count of a metric is how often it was measured.
    """

    metric: str
    statistic: Statistic
    split: bool = False
    only: str | None = None


@dataclass(frozen=True)
class FrontDoor:
    """What the cloud counts of all requests: answers 5xx are `failures`, what it turns away is `throttled`."""

    what: Literal["requests", "failures", "throttled", "latency"]
    statistic: Statistic = "sum"


type Signal = App | FrontDoor


@dataclass(frozen=True)
class Percent:
    """`part` of the sum of `whole`."""

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


REQUESTS = FrontDoor("requests")
ERROR_RATE = Percent(FrontDoor("failures"), (REQUESTS,))
THROTTLE_RATE = Percent(FrontDoor("throttled"), (REQUESTS,))
LATENCY = FrontDoor("latency", "p99")
HITS, MISSES = (App(metric, "sum", only="momento") for metric in ("CacheHits", "CacheMisses"))


@dataclass(frozen=True)
class Alarm:
    """Goes off when `line` was above `threshold` in so many windows in a row, each with enough `events`."""

    name: str
    line: Percent | FrontDoor
    threshold: float
    """In percent, or ms for a latency."""
    runbook: str

    @property
    def events(self) -> Signal:
        return self.line.whole[0] if isinstance(self.line, Percent) else REQUESTS


PANELS = (
    Panel("Requests by route", "1", App("ProcessingTime", "count", split=True)),
    Panel("Errors by route", "1", App("Errors", "sum", split=True)),
    Panel("Cold starts", "1", App("ColdStarts", "sum")),
    Panel("Latency p50 by route", "ms", App("ProcessingTime", "p50", split=True)),
    Panel("Latency p95 by route", "ms", App("ProcessingTime", "p95", split=True)),
    Panel("Latency p99 by route", "ms", App("ProcessingTime", "p99", split=True)),
    Panel("UpstreamProcessingTime p50 by upstream", "ms", App("UpstreamProcessingTime", "p50", split=True)),
    Panel("UpstreamProcessingTime p95 by upstream", "ms", App("UpstreamProcessingTime", "p95", split=True)),
    Panel("UpstreamProcessingTime p99 by upstream", "ms", App("UpstreamProcessingTime", "p99", split=True)),
    Panel("Upstream errors by upstream", "1", App("UpstreamErrors", "sum", split=True)),
    Panel("Cache hit rate", "%", Percent(HITS, (HITS, MISSES))),
    Panel("Latency p99 at the front door", "ms", LATENCY),
    Panel("Error rate at the front door", "%", ERROR_RATE),
    Panel("Requests at the front door", "1", REQUESTS),
    Panel("Throttled requests", "1", FrontDoor("throttled")),
)


def alarms(store: str) -> tuple[Alarm, ...]:
    """The alarms of a stack that keeps its users in `store`."""

    def failing(upstream: str) -> Percent:
        calls = App("UpstreamProcessingTime", "count", only=upstream)
        return Percent(App("UpstreamErrors", "sum", only=upstream), (calls,))

    return (
        Alarm(
            "error-rate",
            ERROR_RATE,
            5,
            "Requests fail. Errors by route says which; the log's lines of severity ERROR say why. Errors at the front "
            "door alone: the app does not start, or is late. After a new version, set the artifact back.",
        ),
        Alarm(
            "latency",
            LATENCY,
            2000,
            "Requests are slow. Compare Latency p99 by route with UpstreamProcessingTime: either an upstream is slow, "
            "or instances are short or small (cold starts, throttled requests, memoryMb).",
        ),
        Alarm(
            "throttles",
            THROTTLE_RATE,
            1,
            "Requests are turned away; on AWS the alarm also goes off at 90 % of throttleRate, since API Gateway may "
            "not count what it turns away in a flood. Raise maxInstances and, on AWS, throttleRate and throttleBurst, "
            "unless one client is to blame.",
        ),
        Alarm(
            "cache-failing",
            failing("momento"),
            50,
            "The cache fails; the store answers meanwhile, slower. In the lines with upstream momento, outcome timeout "
            "or server_unavailable is Momento's side, authentication or unconfigured the key.",
        ),
        Alarm(
            "store-failing",
            failing(store),
            5,
            "The store fails; clients get 503. The log's lines `store unavailable` name the call and its error: "
            "look at the cloud's status page, the quotas and the service's rights.",
        ),
    )
