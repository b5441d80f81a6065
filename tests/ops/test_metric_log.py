"""What `ops` reads of the app's metric lines from the answers of both clouds' logs."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from ops import metric_log
from ops.metric_log import Time
from ops.stack import Stack
from tests.ops.cloud import Cloud

NOON = 1_795_780_800
ACCESS = {"severity": "INFO", "API": "GET:/users/{user_id}", "status": 200, "ProcessingTime": 12.5}
CALL = {"severity": "INFO", "upstream": "momento", "operation": "GetBatch", "UpstreamProcessingTime": 2}
TIMES = [Time(NOON + 1.5, "GET:/users/{user_id}", 12.5), Time(NOON + 1.25, "momento", 2)]
OTHERS = [{"severity": "ERROR", "message": "ProcessingTime"}, {"API": None, "ProcessingTime": 1}, ["ProcessingTime"]]


@pytest.fixture
def logs() -> Iterator[Cloud]:
    with closing(Cloud()) as cloud:
        yield cloud


def stack(logs: Cloud, name: str, revision: str, stable: str) -> Stack:
    found = logs.stack(name)
    return replace(found, outputs={**found.outputs, "revision": revision, "stableRevision": stable})


def test_the_lines_of_both_versions_of_a_function(logs: Cloud) -> None:
    lines: list[tuple[float, Any]] = [(1.5, ACCESS), (1.25, CALL), *((1, other) for other in OTHERS)]
    events = [{"timestamp": int((NOON + at) * 1000), "message": json.dumps(line) + "\n"} for at, line in lines]
    events.append({"timestamp": NOON * 1000, "message": "ProcessingTime in plain text\n"})

    def answer(asked: dict[str, Any]) -> tuple[int, Any]:
        return 200, {"events": events if asked["logStreamNamePrefix"].endswith("/[7]") and asked_first() else []}

    def asked_first() -> bool:
        return sum(asked["logStreamNamePrefix"].endswith("/[7]") for asked in logs.asked) == 1

    logs.answer = answer
    assert metric_log.read(stack(logs, "aws", "8", "7"), NOON, NOON + 60) == TIMES
    assert {asked["filterPattern"] for asked in logs.asked} == {'?"ProcessingTime" ?"UpstreamProcessingTime"'}
    assert {(asked["startTime"], asked["endTime"]) for asked in logs.asked} == {(NOON * 1000, (NOON + 60) * 1000 - 1)}
    assert {asked["logStreamNamePrefix"].rpartition("[")[2] for asked in logs.asked} == {"7]", "8]"}


def test_what_a_revision_prints(logs: Cloud) -> None:
    """https://cloud.google.com/run/docs/logging#container-logs; a line that is not JSON is the entry's textPayload."""
    entries: list[dict[str, Any]] = [
        {"timestamp": "2026-11-27T12:00:01.5Z", "jsonPayload": ACCESS},
        {"timestamp": "2026-11-27T12:00:01.25Z", "jsonPayload": CALL},
        {"timestamp": "2026-11-27T12:00:01Z", "jsonPayload": OTHERS[0]},
        {"timestamp": "2026-11-27T12:00:00Z", "textPayload": "ProcessingTime in plain text"},
    ]
    logs.answer = lambda asked: (200, {"entries": entries})
    assert metric_log.read(stack(logs, "gcp", "r", "r"), NOON, NOON + 60) == TIMES
    [asked] = logs.asked
    assert 'logName="projects/p/logs/run.googleapis.com%2Fstdout"' in asked["filter"]
    assert 'resource.labels.revision_name="r"' in asked["filter"]
