"""The panels of the dashboard and the alarms, defined once for both clouds.

aws_observability.py and gcp_observability.py create them. The alarms on errors and latency use the front door's
metrics, because an app that does not start emits none.
"""

from stacks.config import StackConfig
from stacks.signals import (
    ERROR_RATE,
    LATENCY,
    REQUESTS,
    THROTTLE_RATE,
    Alarm,
    App,
    FailedRequests,
    FrontDoor,
    Panel,
    Percent,
)

COLUMNS = 3
"""Of the dashboard."""

HITS, MISSES = App("CacheHits", "sum"), App("CacheMisses", "sum")

FRONT_DOOR_ALARMS = (
    Alarm(
        "error-rate",
        ERROR_RATE,
        5,
        "Requests fail. Errors by route shows which; the log lines of severity ERROR say why. If only the front door "
        "shows errors, the app does not start or answers too late. After a new version, set the artifact back.",
    ),
    Alarm(
        "latency",
        LATENCY,
        2000,
        "Requests are slow. Compare Latency p99 by route with UpstreamProcessingTime: either an upstream is slow, "
        "or there are too few or too small instances (cold starts, throttled requests, memoryMb).",
    ),
    Alarm(
        "throttles",
        THROTTLE_RATE,
        1,
        "Requests are throttled; on AWS the alarm also goes off at 90 % of throttleRate, since API Gateway may "
        "not count what it throttles in a flood. Raise maxInstances and, on AWS, throttleRate and throttleBurst, "
        "unless a single client is to blame.",
    ),
)


PANELS = (
    Panel("Requests by route", "1", App("ProcessingTime", "count", split=True)),
    Panel("Errors", "1", App("Errors", "sum")),
    FailedRequests("Errors by route"),
    Panel("Latency p50 by route", "ms", App("ProcessingTime", "p50", split=True)),
    Panel("Latency p95 by route", "ms", App("ProcessingTime", "p95", split=True)),
    Panel("Latency p99 by route", "ms", App("ProcessingTime", "p99", split=True)),
    Panel("UpstreamProcessingTime p50 by upstream", "ms", App("UpstreamProcessingTime", "p50", split=True)),
    Panel("UpstreamProcessingTime p95 by upstream", "ms", App("UpstreamProcessingTime", "p95", split=True)),
    Panel("UpstreamProcessingTime p99 by upstream", "ms", App("UpstreamProcessingTime", "p99", split=True)),
    Panel("Upstream errors by upstream", "1", App("UpstreamErrors", "sum", split=True)),
    Panel("Cache hit rate", "%", Percent(HITS, (HITS, MISSES))),
    Panel("Cache operations", "1", App("CacheOperations", "sum")),
    Panel("Cold starts", "1", App("ColdStarts", "sum")),
    Panel("Latency p99 at the front door", "ms", LATENCY),
    Panel("Error rate at the front door", "%", ERROR_RATE),
    Panel("Requests at the front door", "1", REQUESTS),
    Panel("Throttled requests", "1", FrontDoor("throttled")),
)
"""Of the dashboard, in reading order."""


def alarms(config: StackConfig) -> tuple[Alarm, ...]:
    """The alarms of a stack: on its front door, its cache and its store."""
    return (
        *FRONT_DOOR_ALARMS,
        Alarm(
            "cache-failing",
            _failing(config.cache),
            50,
            "The cache fails; meanwhile the store answers, more slowly. In the log lines with upstream "
            f"{config.cache}, the outcomes timeout and server_unavailable point to the cache, authentication and "
            "unconfigured to its key. limit_exceeded is its quota (panel Cache operations): an error only where it "
            "leaves old users in the cache.",
        ),
        Alarm(
            "store-failing",
            _failing(config.persistence),
            5,
            "The store fails; clients get 503. The log lines `store unavailable` name the call and its error: "
            "check the cloud's status page, the quotas and the service's permissions.",
        ),
    )


def _failing(upstream: str) -> Percent:
    calls = App("UpstreamProcessingTime", "count", only=upstream)
    return Percent(App("UpstreamErrors", "sum", only=upstream), (calls,))
