"""FilterLogEvents, through boto3, of files like those that functions and the laptop's Lambda write."""

import json
import re
import secrets
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.aws.function_logs import PAGE, FunctionLogs
from local.cloud.aws.lambda_ import request_ids
from local.cloud.aws.moto_server import Aws
from ops import request_log
from ops.stack import Laptop, Stack
from tests.cloud.test_aws import client_of

MIDNIGHT = int(datetime(2026, 11, 26, tzinfo=UTC).timestamp() * 1000)
PATTERN = '?"REPORT RequestId" ?"platform_request_id"'


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with closing(Aws()) as aws:
        yield aws


@pytest.fixture
def logs(aws: Aws, tmp_path: Path) -> Iterator[Any]:
    aws.operations[:] = [FunctionLogs(tmp_path)]
    with closing(client_of("logs", aws.url)) as client:
        yield client


def request(at: int, status: int | None = 200) -> list[str]:
    """The lines about a request that ended at that Unix time in milliseconds; without a status, it crashed."""
    begun = f"{at - 10:012x}"
    id = str(uuid.UUID(f"{begun}7{secrets.token_hex(2)[1:]}8{secrets.token_hex(8)[1:]}"))
    fields = {"platform_request_id": id, "ProcessingTime": 1.5, "status": status, "cold_start": False}
    line = json.dumps({"_aws": {"Timestamp": at, "CloudWatchMetrics": []}, **fields})
    lines = [f"START RequestId: {id} Version: 7", line, f"END RequestId: {id}"]
    lines += [f"REPORT RequestId: {id}\tDuration: 10.00 ms"]
    return lines if status else [lines[0], "Segmentation fault", *lines[2:]]


def write(folder: Path, lines: list[str], version: int = 7) -> None:
    (folder / f"lambda-s-{version}.log").write_text("\n".join([*lines, ""]))


def search(logs: Any, **changes: Any) -> list[list[str]]:
    """The messages by page."""
    asked = {
        "logGroupName": "/aws/lambda/s",
        "logStreamNamePrefix": "2026/11/26/[7]",
        "startTime": MIDNIGHT,
        "endTime": MIDNIGHT + 1_000_000,
        "filterPattern": PATTERN,
        "startFromHead": False,
        **changes,
    }
    pages = logs.get_paginator("filter_log_events").paginate(**asked)
    return [[event["message"].strip() for event in page["events"]] for page in pages]


def test_lines_that_match_come_newest_first(logs: Any, tmp_path: Path):
    first, second = request(MIDNIGHT + 1000), request(MIDNIGHT + 2000)
    write(tmp_path, ["a line without a time, platform_request_id", *first, *second])
    [page] = search(logs)
    assert [{*page[:2]}, {*page[2:]}] == [{second[1], second[3]}, {first[1], first[3]}]


def test_times_are_inclusive(logs: Any, tmp_path: Path):
    write(tmp_path, [line for at in (999, 1000, 2000, 2001) for line in request(MIDNIGHT + at)])
    [page] = search(logs, startTime=MIDNIGHT + 1000, endTime=MIDNIGHT + 2000)
    assert len(page) == 4


def test_streams_are_of_a_day_and_a_version(logs: Any, tmp_path: Path):
    write(tmp_path, [*request(MIDNIGHT - 1), *request(MIDNIGHT)])
    write(tmp_path, request(MIDNIGHT), version=71)
    every: dict[str, Any] = {"startTime": MIDNIGHT - 1000}
    [page] = search(logs, **every)
    [before] = search(logs, **every, logStreamNamePrefix="2026/11/25/[7]")
    assert (len(page), len(before)) == (2, 2)
    assert not set(page) & set(before)
    for streams in ("2026/11/24/[7]", "2026/11/26/[8]", "2026/11/26/s[7]"):
        assert search(logs, **every, logStreamNamePrefix=streams) == [[]]


def test_pages_are_empty_where_nothing_matches(logs: Any, tmp_path: Path):
    write(tmp_path, [*request(MIDNIGHT), *pages_of_others(MIDNIGHT + 500), *request(MIDNIGHT + 1000)])
    assert [len(page) for page in search(logs)] == [2, 0, 0, 2]


def test_what_is_older_is_not_searched(logs: Any, tmp_path: Path):
    write(tmp_path, [*pages_of_others(MIDNIGHT - 500), *request(MIDNIGHT + 1000)])
    assert [len(page) for page in search(logs)] == [2, 0]


def pages_of_others(at: int) -> list[str]:
    """Lines that the pattern does not match, for three pages."""
    line = json.dumps({"_aws": {"Timestamp": at, "CloudWatchMetrics": []}, "x": "x" * 1000})
    return [line] * (3 * PAGE // 1000)


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({"filterPattern": "ERROR"}, "pattern 'ERROR'"),
        ({"filterPattern": "{$.status = 500}"}, "pattern '{$.status = 500}'"),
        ({"startFromHead": True}, "events of stream '2026/11/26/[7]', oldest first"),
        ({"logStreamNamePrefix": "2026/11/26/[7"}, "events of stream '2026/11/26/[7'"),
        ({"limit": 5}, "{'limit': 5}"),
        ({"logGroupName": "/aws/vendedlogs/s"}, "events of stream"),
    ],
)
def test_another_search_is_refused(logs: Any, changes: dict[str, Any], unknown: str):
    with pytest.raises(ClientError, match=rf"InvalidParameterException.*the laptop knows no .*{re.escape(unknown)}"):
        search(logs, **changes)


def test_motos_own_logs_work_as_before(logs: Any):
    logs.create_log_group(logGroupName="/aws/lambda/s")
    [group] = logs.describe_log_groups()["logGroups"]
    assert group["logGroupName"] == "/aws/lambda/s"


def test_the_newest_requests_of_a_window_over_midnight(aws: Aws, logs: Any, tmp_path: Path):
    """All of `ops` and the laptop together: 6,000 requests, of which the 500 oldest and 3 others failed."""
    requests = [request(MIDNIGHT - 30_000 + 10 * number, 500 if number < 500 else 200) for number in range(5997)]
    requests += [request(MIDNIGHT + 40_000, status) for status in (500, 503, None)]
    write(tmp_path, [line for lines in requests for line in lines])
    outputs = {"cloud": "aws", "account": "123456789012", "region": "eu-west-1", "service": "s"}
    stack = Stack("s", outputs, Laptop(Path(), aws.url, ""))
    read = request_log.read(stack, "7", MIDNIGHT / 1000 - 60, MIDNIGHT / 1000 + 60)
    assert len(read) == request_log.LIMIT
    assert [one.failed for one in read] == [True] * 3 + [False] * (request_log.LIMIT - 3)


def test_a_request_id_is_a_uuid_of_version_7_with_its_time():
    before = datetime.now(UTC).timestamp() * 1000
    id = request_ids.new()
    assert before - 1 < request_ids.milliseconds(id) <= datetime.now(UTC).timestamp() * 1000
    parsed = uuid.UUID(id)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert len({request_ids.new() for _ in range(1000)}) == 1000
