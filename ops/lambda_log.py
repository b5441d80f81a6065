"""Requests to a version of a Lambda function, from the lines of Lambda and of the app in CloudWatch Logs.

A request is an invocation that Lambda has reported as ended. It failed if the app wrote no access line for it, as in a
crash, a time-out or a failed start, or one with a status from 500 on.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html, and for the search
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any

from ops import aws
from ops.request_log import LIMIT, Request
from ops.stack import Stack

DAY = 24 * 60 * 60  # seconds
APART = 10_000  # milliseconds that the times of Lambda's and the app's line of one request may differ by
PATTERN = '?"REPORT RequestId" ?"platform_request_id"'
REPORT = re.compile(r"REPORT RequestId: (\S+)\s+Duration: ([\d.]+) ms")


@dataclass(frozen=True, order=True)
class Report:
    """Lambda's own line about an invocation. `at` is in Unix milliseconds."""

    at: int
    request_id: str
    milliseconds: float


@dataclass
class Lines:
    """`reports` are newest first, `answers` are the app's access lines by Lambda's request id."""

    reports: list[Report] = field(default_factory=list[Report])
    answers: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


def read(stack: Stack, version: str, begin: float, end: float) -> list[Request]:
    """As `ops.request_log.read`."""
    since, until = int(begin * 1000), int(end * 1000)
    lines = Lines()
    with aws.errors(stack), closing(aws.client(stack, "logs")) as logs:
        group = aws.arn(logs, stack, f"log-group:/aws/lambda/{stack.output('service')}")
        for streams in streams_of(stack.output("service"), version, begin, end):
            found = _newest(logs, group, streams, since, until)
            lines.reports += found.reports
            lines.answers |= found.answers
    return [_request(report, lines.answers.get(report.request_id)) for report in nlargest(LIMIT, lines.reports)]


def streams_of(function: str, version: str, begin: float, end: float) -> Iterator[str]:
    """The prefixes of the names of the version's log streams.

    A stream is named after the day on which its environment began, which may be the day before. Its name has the
    function's in a log group that functions may share, and it is not documented whether the default group is one if
    the function names it: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
    """
    for day in range(int(begin // DAY) - 1, int(end // DAY) + 1):
        date = time.strftime("%Y/%m/%d", time.gmtime(day * DAY))
        yield f"{date}/[{version}]"
        yield f"{date}/{function}[{version}]"


def pages(logs: Any, group: str, streams: str, since: int, until: int, pattern: str) -> Iterator[list[dict[str, Any]]]:
    """The events that match the pattern, newest first. A page may be empty, and not be the last."""
    for page in logs.get_paginator("filter_log_events").paginate(
        logGroupIdentifier=group,
        logStreamNamePrefix=streams,
        startTime=since,
        endTime=until,
        filterPattern=pattern,
        startFromHead=False,
    ):
        yield page.get("events", [])


def _newest(logs: Any, group: str, streams: str, since: int, until: int) -> Lines:
    """The lines of the newest LIMIT invocations, or of some more."""
    lines = Lines()
    for events in pages(logs, group, streams, since - APART, until + APART, PATTERN):
        for event in events:
            at, text = event["timestamp"], event["message"]
            if found := REPORT.match(text):
                if since <= at < until:
                    lines.reports.append(Report(at, found[1], float(found[2])))
            elif line := _access_line(text):
                lines.answers[line["platform_request_id"]] = line
        oldest = events[-1]["timestamp"] if events else until
        if len(lines.reports) >= LIMIT and oldest < lines.reports[LIMIT - 1].at - APART:
            break
    return lines


def _access_line(text: str) -> dict[str, Any] | None:
    """None for another line that has the name of the field in it."""
    try:
        line: Any = json.loads(text)
    except ValueError:
        return None
    match line:
        case {"platform_request_id": str(), "ProcessingTime": int() | float(), "status": int(), "cold_start": bool()}:
            return line
        case _:
            return None


def _request(report: Report, line: dict[str, Any] | None) -> Request:
    at = report.at / 1000
    if line is None:
        return Request(failed=True, milliseconds=report.milliseconds, cold=False, at=at)
    return Request(line["status"] >= 500, line["ProcessingTime"], line["cold_start"], at)
