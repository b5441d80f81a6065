"""Times from the metric lines that the app prints, as both clouds keep them.

An access line has the time of a request to an API, another line that of a call to an upstream: a store or the cache.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.stack import Stack

PATTERN = '?"ProcessingTime" ?"UpstreamProcessingTime"'
MOST = 100_000  # lines


@dataclass(frozen=True)
class Time:
    """`name` is an API, such as `GET:/users/{user_id}`, or an upstream, such as `dynamodb`. `at` is in Unix seconds."""

    at: float
    name: str
    milliseconds: float


def read(stack: Stack, begin: float, end: float) -> list[Time]:
    """The times that the stack's newest and stable revisions printed from `begin` to `end`, in Unix seconds.

    Both clouds take seconds to make a line readable, so a window that ends now lacks its last lines. Raises UsageError.
    """
    lines = _of_lambda if stack.output("cloud") == "aws" else _of_cloud_run
    return [
        time
        for revision in sorted({stack.output("revision"), stack.output("stableRevision")})
        for at, line in lines(stack, revision, begin, end)
        if (time := _time(at, line))
    ]


def _time(at: float, line: dict[str, Any]) -> Time | None:
    match line:
        case {"API": str(name), "ProcessingTime": int() | float() as milliseconds}:
            return Time(at, name, milliseconds)
        case {"upstream": str(name), "UpstreamProcessingTime": int() | float() as milliseconds}:
            return Time(at, name, milliseconds)
        case _:
            return None


def _of_lambda(stack: Stack, version: str, begin: float, end: float) -> Iterator[tuple[float, dict[str, Any]]]:
    from ops import aws, lambda_log  # late, because importing botocore takes 0.2 s

    service, since, until = stack.output("service"), int(begin * 1000), int(end * 1000)
    with aws.errors(stack), closing(aws.client(stack, "logs")) as logs:
        group = aws.arn(logs, stack, f"log-group:/aws/lambda/{service}")
        events = [
            event
            for streams in lambda_log.streams_of(service, version, begin, end)
            for page in lambda_log.pages(logs, group, streams, since, until - 1, PATTERN)
            for event in page
        ]
    for event in events:
        try:
            line: Any = json.loads(event["message"])
        except ValueError:
            continue  # a line of text that has the words in it
        if isinstance(line, dict):
            yield event["timestamp"] / 1000, line


def _of_cloud_run(stack: Stack, revision: str, begin: float, end: float) -> Iterator[tuple[float, dict[str, Any]]]:
    from ops import cloud_run_log  # late, because importing google.auth takes as long

    for entry in cloud_run_log.entries(stack, "stdout", revision, begin, end, MOST):
        yield datetime.fromisoformat(entry["timestamp"]).timestamp(), entry.get("jsonPayload", {})
