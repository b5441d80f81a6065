"""What `ops` makes of the answers of both clouds' logs, in the shapes that their references give them."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from ops import cloud_run_log, google, request_log
from ops.request_log import LIMIT, Request
from ops.stack import UsageError
from tests.ops.cloud import Answer, Cloud

MIDNIGHT = int(datetime(2026, 11, 26, tzinfo=UTC).timestamp())
GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/s"


@pytest.fixture
def logs() -> Iterator[Cloud]:
    with closing(Cloud()) as cloud:
        yield cloud


def event(seconds: float, message: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilteredLogEvent.html"""
    return {"logStreamName": "a", "timestamp": int(seconds * 1000), "message": message, "eventId": "1"}


def report(seconds: float, request_id: str, milliseconds: float = 12.5) -> dict[str, Any]:
    """Lambda's own line: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html"""
    text = f"REPORT RequestId: {request_id}\tDuration: {milliseconds} ms\tBilled Duration: 13 ms\tMemory Size: 1024 MB"
    return event(seconds, f"{text}\tMax Memory Used: 90 MB\tInit Duration: 300.25 ms\t\n")


def access(seconds: float, request_id: str, status: int = 200, **fields: Any) -> dict[str, Any]:
    line = {"request_id": "a client's", "platform_request_id": request_id, "status": status, "cold_start": False}
    return event(seconds, json.dumps({**line, "ProcessingTime": 3.25, **fields}) + "\n")


def pages(by_prefix: dict[str, list[list[dict[str, Any]]]]) -> Answer:
    """Pages of events by the prefix of the streams' names; each but the last has a token."""

    def answer(asked: dict[str, Any]) -> tuple[int, Any]:
        wanted = by_prefix.get(asked["logStreamNamePrefix"], [[]])
        number = int(asked.get("nextToken", 0))
        more = {"nextToken": str(number + 1)} if number + 1 < len(wanted) else {}
        return 200, {"events": wanted[number], "searchedLogStreams": [], **more}

    return answer


def test_a_version_is_asked_for_what_its_streams_of_both_days_have(logs: Cloud) -> None:
    assert request_log.read(logs.stack("aws"), "7", MIDNIGHT - 60, MIDNIGHT + 60) == []
    prefixes = [asked.pop("logStreamNamePrefix") for asked in logs.asked]
    assert prefixes == [f"2026/11/{day}/{name}" for day in (24, 25, 26) for name in ("[7]", "s[7]")], (
        "an environment may live on from the day before"
    )
    assert (
        logs.asked
        == [
            {
                "logGroupIdentifier": GROUP,
                "startTime": (MIDNIGHT - 70) * 1000,
                "endTime": (MIDNIGHT + 70) * 1000,
                "filterPattern": '?"REPORT RequestId" ?"platform_request_id"',
                "startFromHead": False,
            }
        ]
        * 6
    )


def test_lines_of_all_streams_and_pages_count(logs: Cloud) -> None:
    """Pages may be empty, and an access line may be on another one than Lambda's line about the same request."""
    now = MIDNIGHT + 1000
    logs.answer = pages(
        {
            "2026/11/25/[7]": [[report(now + 3, "a", 30_000)], [], [access(now + 3, "a", 503)]],
            "2026/11/26/[7]": [[], [report(now + 2, "b"), access(now + 2, "b", cold_start=True)]],
            "2026/11/26/s[7]": [[access(now + 1, "c"), report(now + 1, "c"), report(now, "crashed", 99.5)]],
        }
    )
    assert request_log.read(logs.stack("aws"), "7", now - 60, now + 60) == [
        Request(failed=True, milliseconds=3.25, cold=False, at=now + 3),
        Request(failed=False, milliseconds=3.25, cold=True, at=now + 2),
        Request(failed=False, milliseconds=3.25, cold=False, at=now + 1),
        Request(failed=True, milliseconds=99.5, cold=False, at=now),
    ]


def test_a_request_counts_where_it_ended(logs: Cloud) -> None:
    """Its access line may have been written before, or have got a later time."""
    begin, end = MIDNIGHT + 1000, MIDNIGHT + 1060
    events = [report(end, "after"), access(end + 1, "late"), report(end - 0.001, "late")]
    events += [report(begin, "early"), access(begin - 1, "early"), report(begin - 0.001, "before")]
    logs.answer = pages({"2026/11/26/[7]": [events]})
    assert [request.failed for request in request_log.read(logs.stack("aws"), "7", begin, end)] == [False, False]


def test_lines_of_others_do_not_count(logs: Cloud) -> None:
    """The pattern finds words anywhere in a line, and what a client sends may be in the app's lines."""
    now = MIDNIGHT + 1000
    stranger = json.dumps({"severity": "ERROR", "message": "REPORT RequestId: x\tDuration: 1 ms", "status": 500})
    half = json.dumps({"platform_request_id": "b", "message": "an error of the app"})
    events = [event(now, line) for line in (stranger, half, "platform_request_id", '["platform_request_id"]')]
    logs.answer = pages({"2026/11/26/[7]": [[*events, report(now, "b"), access(now, "b")]]})
    assert [one.failed for one in request_log.read(logs.stack("aws"), "7", now - 1, now + 1)] == [False]


def test_no_more_pages_are_read_than_the_newest_requests_need(logs: Cloud) -> None:
    now = MIDNIGHT + 40_000
    seconds = [now - number / 10 for number in range(2 * LIMIT)]
    lines = [report(at, str(at)) for at in seconds] + [access(at - 5, str(at)) for at in seconds]
    lines.sort(key=lambda line: line["timestamp"], reverse=True)
    logs.answer = pages({"2026/11/26/[7]": [lines[begin : begin + 1000] for begin in range(0, len(lines), 1000)]})
    read = request_log.read(logs.stack("aws"), "7", MIDNIGHT, now + 1)
    assert (len(read), sum(request.failed for request in read)) == (LIMIT, 0)
    read_pages = [asked for asked in logs.asked if asked["logStreamNamePrefix"] == "2026/11/26/[7]"]
    assert len(read_pages) < 13, "ten have the newest requests, and the next one the end of their access lines"


def test_a_throttled_search_is_repeated(logs: Cloud) -> None:
    def answer(asked: dict[str, Any]) -> tuple[int, Any]:
        throttled = {"__type": "ThrottlingException", "message": "Rate exceeded"}
        return (400, throttled) if len(logs.asked) == 1 else (200, {"events": []})

    logs.answer = answer
    assert request_log.read(logs.stack("aws"), "7", MIDNIGHT, MIDNIGHT + 60) == []
    assert logs.asked[0] == logs.asked[1]


def test_a_missing_permission_at_aws(logs: Cloud) -> None:
    logs.answer = lambda asked: (400, {"__type": "AccessDeniedException", "message": "not\nyours"})
    with pytest.raises(UsageError) as refusal:
        request_log.read(logs.stack("aws"), "7", MIDNIGHT, MIDNIGHT + 60)
    assert str(refusal.value) == (
        "stack aws of the local clouds, account 123456789012: An error occurred "
        "(AccessDeniedException) when calling the FilterLogEvents operation: "
        "not yours (docs/deployer.md lists the permissions)"
    )


def entry(**http: Any) -> dict[str, Any]:
    """https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#httprequest"""
    return {"logName": "l", "insertId": "1", "timestamp": "2026-11-26T00:00:00Z", "httpRequest": http}


def test_a_revision_is_asked_for_its_request_log(logs: Cloud) -> None:
    answers = [
        {"entries": [entry(status=200, latency="0.012s"), entry(status=499, latency="3s")], "nextPageToken": "a"},
        {"nextPageToken": "b"},
        {"entries": [entry(status=500, latency="1.500000001s"), entry(latency="0.100s")]},
    ]
    logs.answer = lambda asked: (200, answers[len(logs.asked) - 1])
    assert request_log.read(logs.stack("gcp"), "s-7", MIDNIGHT - 0.5, MIDNIGHT + 60) == [
        Request(failed=False, milliseconds=12, cold=False, at=MIDNIGHT),
        Request(failed=False, milliseconds=3000, cold=False, at=MIDNIGHT),
        Request(failed=True, milliseconds=pytest.approx(1500), cold=False, at=MIDNIGHT),  # pyright: ignore[reportArgumentType]
        Request(failed=True, milliseconds=100, cold=False, at=MIDNIGHT),
    ]
    query = {
        "resourceNames": ["projects/p"],
        "filter": 'logName="projects/p/logs/run.googleapis.com%2Frequests" AND resource.labels.service_name="s"'
        ' AND resource.labels.revision_name="s-7" AND timestamp>="2026-11-25T23:59:59.500000Z"'
        ' AND timestamp<"2026-11-26T00:01:00.000000Z"',
        "orderBy": "timestamp desc",
        "pageSize": 1000,
    }
    assert logs.asked == [query, query | {"pageToken": "a"}, query | {"pageToken": "b"}]


def test_the_newest_entries_are_enough(logs: Cloud) -> None:
    page = [entry(status=200, latency="0.1s")] * (cloud_run_log.PAGE - 1)
    logs.answer = lambda asked: (200, {"entries": page, "nextPageToken": str(len(logs.asked))})
    assert len(request_log.read(logs.stack("gcp"), "s-7", MIDNIGHT, MIDNIGHT + 60)) == LIMIT
    assert len(logs.asked) == LIMIT / cloud_run_log.PAGE + 1


def test_a_full_quota_is_waited_for(logs: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google, "PAUSE", 0)
    full = {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}
    logs.answer = lambda asked: (429, full) if len(logs.asked) < 3 else (200, {})
    assert request_log.read(logs.stack("gcp"), "s-7", MIDNIGHT, MIDNIGHT + 60) == []
    assert len(logs.asked) == 3
    logs.answer = lambda asked: (429, full)
    with pytest.raises(UsageError, match=r"^stack gcp of the local clouds, project p: 429, Quota exceeded$"):
        request_log.read(logs.stack("gcp"), "s-7", MIDNIGHT, MIDNIGHT + 60)


@pytest.mark.parametrize(
    ("status", "answer", "problem"),
    [
        (403, {"error": {"message": "Permission\ndenied"}}, "403, Permission denied (docs/deployer.md lists the perm"),
        (404, "nothing", "404 from http://127.0.0.1:"),
    ],
)
def test_errors_of_google(logs: Cloud, status: int, answer: Any, problem: str) -> None:
    logs.answer = lambda asked: (status, answer)
    with pytest.raises(UsageError) as refusal:
        request_log.read(logs.stack("gcp"), "s-7", MIDNIGHT, MIDNIGHT + 60)
    assert str(refusal.value).startswith(f"stack gcp of the local clouds, project p: {problem}")
    assert "\n" not in str(refusal.value)
