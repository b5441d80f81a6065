"""What the app has to reach, as ratios within one run."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.compare.intervals import difference
from benchmarks.compare.results import Results


class Goal(NamedTuple):
    title: str
    limit: float
    value: Callable[[Results], float]
    at_least: bool = False

    def is_met(self, results: Results) -> bool:
        value = self.value(results)
        return value >= self.limit if self.at_least else value <= self.limit


def _ratio(peer: str, metric: str, floor: str) -> Callable[[Results], float]:
    return lambda results: results.ratio(peer, metric, floor).value


def _overhead(results: Results) -> float:
    return difference(results.peers["lambda/us"]["p50"], results.peers["lambda/botocore"]["p50"]).value


def _size(results: Results) -> float:
    return results.median("lambda/us", "zipped").value


GOALS = (
    Goal("Lambda, cold start of all on board: of the floor's", 1.25, _ratio("lambda/us", "cold", "lambda/botocore")),
    Goal("Lambda, cold start of all on board: of Chalice's", 1, _ratio("lambda/us", "cold", "lambda/chalice")),
    Goal("Lambda, warm p50: over the floor's, ms", 0.25, _overhead),
    Goal("Lambda, peak memory: of Flask's + serverless-wsgi's", 1.15, _ratio("lambda/us", "memory", "lambda/flask")),
    Goal("Cloud Run, cold start of all on board: of Flask's + gunicorn's", 1, _ratio("run/us", "cold", "run/flask")),
    Goal("Cloud Run, peak memory: of Flask's + gunicorn's", 1.15, _ratio("run/us", "memory", "run/flask")),
    Goal("throughput of one core, in memory: of Flask's", 0.9, _ratio("memory/us", "throughput", "memory/flask"), True),
    Goal("artifact, MB zipped", 20, _size),
)  # fmt: skip
