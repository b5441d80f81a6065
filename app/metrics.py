"""Metrics as JSON lines on stdout.

The format `emf` is CloudWatch's embedded metric format, which CloudWatch Logs turns into metrics
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html);
`json` has the same fields without the `_aws` envelope, for log-based metrics of Cloud Logging. Times are in ms.
"""

import json
import sys
import time
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TextIO

import msgspec

Value = str | int | float | bool | None

UNITS = {"UpstreamProcessingTime": "Milliseconds", "ProcessingTime": "Milliseconds"}
"""The metrics with a unit; every other metric is a count."""

DIMENSIONS = {"ProcessingTime": "API", "UpstreamProcessingTime": "upstream", "UpstreamErrors": "upstream"}
"""The metrics with a dimension. CloudWatch bills each of its values as a metric of its own."""


@dataclass
class Timing:
    """Filled in by a timed block: counts become metrics, fields are only logged."""

    outcome: str = "ok"
    counts: dict[str, int] = field(default_factory=dict[str, int])
    fields: dict[str, Value] = field(default_factory=dict[str, Value])


class Metrics:
    """Writes one line per measurement. `format` is emf or json."""

    def __init__(self, format: str = "json", namespace: str = "BetterTogether", stream: TextIO | None = None) -> None:
        self._emf = format == "emf"
        self._namespace = namespace
        self._stream = stream

    @contextmanager
    def upstream(self, upstream: str, operation: str, tolerated: Collection[str] = ()) -> Generator[Timing]:
        """Time one call to a store or cache. If the block raises, the outcome is `error`.

        Every outcome counts as an error but `ok` and those that are `tolerated`.
        """
        timing, start = Timing(), time.perf_counter()
        try:
            yield timing
        except BaseException:
            timing.outcome = "error"
            raise
        finally:
            errors = {"UpstreamErrors": int(timing.outcome not in ("ok", *tolerated))}
            self.emit(
                {"UpstreamProcessingTime": _milliseconds(start)} | errors | timing.counts,
                {"upstream": upstream, "operation": operation, "outcome": timing.outcome} | timing.fields,
            )

    def emit(self, metrics: Mapping[str, float], fields: Mapping[str, Value]) -> None:
        """Write one line with these metrics. `fields` holds their DIMENSIONS; its other values are only logged."""
        line: dict[str, object] = {"severity": "INFO", **fields, **metrics}
        if self._emf:
            envelope = {
                "Timestamp": time.time_ns() // 1_000_000,
                "CloudWatchMetrics": _directives(self._namespace, tuple(metrics)),
            }
            line = {"_aws": envelope, **line}
        self._write(line)

    def log(self, severity: str, message: str, fields: Mapping[str, Value] = {}) -> None:
        """Write a line without metrics. `severity` is one of Cloud Logging's."""
        self._write({"severity": severity, "message": message, **fields})

    def _write(self, line: Mapping[str, object]) -> None:
        """In ASCII, so that no encoding of stdout loses text: json, which is slower, escapes the rest."""
        try:
            text = msgspec.json.encode(line).decode("ascii")
        except (UnicodeError, TypeError):
            text = json.dumps(line)
        stream = self._stream or sys.stdout
        stream.write(text + "\n")
        stream.flush()


def _milliseconds(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 3)


@cache
def _directives(namespace: str, names: tuple[str, ...]) -> list[dict[str, object]]:
    """One for each dimension, and one for the metrics without: their set of dimensions is empty."""
    by_dimension: dict[str | None, list[str]] = {}
    for name in names:
        by_dimension.setdefault(DIMENSIONS.get(name), []).append(name)
    return [
        {
            "Namespace": namespace,
            "Dimensions": [[dimension] if dimension else []],
            "Metrics": [{"Name": name, "Unit": UNITS.get(name, "Count")} for name in metrics],
        }
        for dimension, metrics in by_dimension.items()
    ]
