"""CloudWatch Logs' FilterLogEvents, for what Lambda functions and the laptop's Lambda write to their log files.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html

A line has a time if Lambda's request id or CloudWatch's embedded metric format gives it one; the others are left out.
Streams are named after the day of their lines, not of their environment's start, and their events come newest first.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from local.cloud.aws.lambda_ import request_ids

TARGET = "Logs_20140328.FilterLogEvents"
PAGE = 1024 * 1024  # bytes that a page searches, so that pages are empty where nothing matches
GROUP = re.compile(r"(?:arn:aws:logs:[^:]+:\d+:log-group:)?/aws/lambda/([\w-]+)")
STREAMS = re.compile(r"(?P<day>\d{4}/\d\d/\d\d)/(?P<function>[\w-]*)\[(?P<version>\d+)\]")
OPTIONAL_TERMS = re.compile(r'(\?(\w+|"[^"]+") ?)+')
TERM = re.compile(r'\?(?:(\w+)|"([^"]+)")')
REPORT = re.compile(r"REPORT RequestId: (\S+)\tDuration: ([\d.]+) ms")
EMF_TIME = re.compile(r'{"_aws": ?{"Timestamp": ?(\d+),')

type Line = tuple[int, str]
"""Unix time in milliseconds, and the text."""


class Unknown(ValueError):
    """The laptop knows no such request."""


class FunctionLogs:
    """The operation. `folder` has a file for each version of each function."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, request: Request) -> Response | None:
        if request.headers.get("X-Amz-Target") != TARGET:
            return None
        try:
            status, answer = 200, self._filter(json.loads(request.get_data()))
        except Unknown as error:
            status, answer = 400, {"__type": "InvalidParameterException", "message": f"the laptop knows no {error}"}
        return Response(json.dumps(answer), status, content_type="application/x-amz-json-1.1")

    def _filter(self, given: dict[str, Any]) -> dict[str, Any]:
        """Raises Unknown."""
        begin, end, pattern = given.pop("startTime"), given.pop("endTime"), given.pop("filterPattern", "")
        group = GROUP.fullmatch(given.pop("logGroupIdentifier", "") or given.pop("logGroupName", ""))
        prefix = given.pop("logStreamNamePrefix", "")
        streams = STREAMS.fullmatch(prefix)
        offset = int(given.pop("nextToken", -1))
        if not group or not streams or given.pop("startFromHead", True) or given:
            raise Unknown(f"events of stream {prefix!r}, oldest first, or with {given}")
        if not OPTIONAL_TERMS.fullmatch(pattern):
            raise Unknown(f"pattern {pattern!r}")
        file = self._folder / f"lambda-{group[1]}-{streams['version']}.log"
        if streams["function"] or not file.exists():  # that name is of streams in a group that functions share
            return {"events": [], "searchedLogStreams": []}
        terms = [word or phrase for word, phrase in TERM.findall(pattern)]
        before, page = _page(file, offset)
        lines = sorted(page, key=lambda line: line[0], reverse=True)
        events = [
            {"logStreamName": f"{prefix}laptop", "timestamp": at, "message": text + "\n", "ingestionTime": at}
            for at, text in lines
            if begin <= at <= end and _day(at) == streams["day"] and any(term in text for term in terms)
        ]
        has_more = before and not (lines and lines[0][0] < begin)
        return {"events": events, "searchedLogStreams": []} | ({"nextToken": str(before)} if has_more else {})


def _page(file: Path, end: int) -> tuple[int, list[Line]]:
    """The lines of a page before `end`, -1 for the end of the file, and where they begin."""
    with file.open("rb") as log:
        end = log.seek(0, 2) if end < 0 else end
        begin = log.seek(max(0, end - PAGE))
        content = log.read(end - begin)
    if begin:
        begin += content.find(b"\n") + 1
        content = content.partition(b"\n")[2]
    return begin, list(_timed(content.decode(errors="replace").splitlines()))


def _timed(lines: list[str]) -> Iterator[Line]:
    for text in lines:
        if report := REPORT.match(text):
            yield request_ids.milliseconds(report[1]) + round(float(report[2])), text
        elif emf := EMF_TIME.match(text):
            yield int(emf[1]), text


def _day(milliseconds: int) -> str:
    return time.strftime("%Y/%m/%d", time.gmtime(milliseconds / 1000))
