"""The parts of a load test, without a cloud and without locust."""

import json
from pathlib import Path

import pytest

from benchmarks.load import __main__ as command
from benchmarks.load import plot, summary
from benchmarks.load.summary import BUCKET, Line, Request
from benchmarks.load.table import table
from benchmarks.load.targets import find
from ops.metric_log import Time
from ops.stack import Stack

NO_URL = "must be https://host or http://host:port, without a path or query"
FOLLOWERS, CACHED = "GET:/followers/{user_id}", "GET:/cached-followers/{user_id}"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--time", "0"], "TIME is '0': give a number from 1 to 600"),
        (["--time", "601"], "TIME is '601': give a number from 1 to 600"),
        (["--users", "two"], "USERS is 'two': give a number from 1 to 100"),
        *((["--rate", rate], f"RATE is '{rate}': give a number from 0.1 to 200") for rate in ("nan", "inf", "1e-300")),
        *((["--url", url], f"URL={url} {NO_URL}") for url in ("example.com", "http://[::1", "http://a:b")),
        (["--url", "https://me:geheim@a.test"], f"URL {NO_URL}"),
        (["--url", "https://a.test", "aws"], "give either URL or STACK"),
        (["--url", "http://127.0.0.1:1"], "http://127.0.0.1:1 does not answer: [Errno 111] Connection refused"),
        ([], "aws and gcp not up on the local clouds: `make up` brings both stacks up"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["load", "--home", str(tmp_path), *arguments])
    assert command.main() == 2
    assert capsys.readouterr() == ("", problem + "\n")


@pytest.mark.parametrize(
    ("token", "arguments", "problem"),
    [
        ("geheim\n", ["--url", "https://a.test"], "TOKEN must be printable ASCII without blanks"),
        ("gehéim", ["--url", "https://a.test"], "TOKEN must be printable ASCII without blanks"),
        ("geheim", ["--url", "http://a.test"], "TOKEN is only sent to https URLs, and this is http://a.test"),
        (
            "geheim",
            ["--ui"],
            "UI=1 takes no TOKEN: any page that the browser shows can send locust's users elsewhere",
        ),
    ],
)
def test_a_token_stays_secret(
    token: str,
    arguments: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TOKEN", token)
    test_a_mistake_is_one_line(arguments, problem, tmp_path, monkeypatch, capsys)


def test_a_stack_is_loaded_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def found(name: str, _: Path) -> Stack:
        return Stack(name, {"url": "https://a.test"})

    monkeypatch.setattr(Stack, "find", found)
    assert [target.name for target in find(["aws", "gcp", "aws"], None, tmp_path)] == ["aws", "gcp"]


def test_a_percentile_is_a_time_that_was_measured() -> None:
    times = [float(number) for number in range(100, 0, -1)]
    assert [summary.percentile(times, percent) for percent in (50, 95, 99)] == [50, 95, 99]
    assert [summary.percentile([3.0], percent) for percent in (50, 99)] == [3, 3]


def test_requests_are_counted_by_api_and_the_cached_one_follows() -> None:
    requests = [Request(1, "aws", "GET:/users", 10, failed=number == 0) for number in range(20)]
    requests += [
        Request(1, "aws", "GET:/cached-users", 5, failed=False),
        Request(1, "aws", "PUT:/users", 7, failed=True),
    ]
    assert list(summary.of_requests(requests, 10).items()) == [
        ("GET:/users", Line(2, 10, 10, 10, 1)),
        ("GET:/cached-users", Line(0.1, 5, 5, 5, 0)),
        ("PUT:/users", Line(0.1, 7, 7, 7, 1)),
    ]


def test_metric_lines_become_p50_and_p99_over_time() -> None:
    times = [
        Time(1000 + BUCKET * bucket, FOLLOWERS, 10.0 * bucket + number) for bucket in (1, 3) for number in (1, 2, 3)
    ]
    times += [
        Time(1000, CACHED, 4),
        Time(1001, "momento", 2),
        Time(1002, "GET:/users/{user_id}", 9),
        Time(999, CACHED, 1),
    ]
    assert summary.over_time(times, begin=1000) == {
        "GET:/followers": [(BUCKET, 12, 13), (3 * BUCKET, 32, 33)],
        "GET:/cached-followers": [(0, 4, 4)],
        "momento": [(0, 2, 2)],
    }
    assert summary.of_upstreams(times, 10) == {"momento": Line(0.1, 2, 2, 2, 0)}


def test_the_stores_share_a_row_and_what_a_target_lacks_is_blank() -> None:
    line = Line(1, 2, 3, 4, 5)
    _, _, *rows = table("5 s", {"aws": {"dynamodb": line}, "gcp": {"firestore": line, "momento": line}})
    numbers = ["1.0", "2.0", "3.0", "4.0", "5"]
    assert [row.split() for row in rows] == [["dynamodb,", "firestore", *numbers, *numbers], ["momento", *numbers]]
    assert len({len(row) for row in rows}) == 1


def test_the_picture_has_each_line_twice_and_the_delays() -> None:
    series = {"GET:/followers": [(0, 20.0, 30.0), (5, 10.0, 40.0)], "dynamodb": [(0, 5.0, 9.0)]}
    result = {
        "seconds": 10,
        "rate": 5.0,
        "delays": {"dynamodb": 5, "firestore": 20},
        "targets": {"aws": {"series": series}},
    }
    picture = plot.picture(json.loads(json.dumps(result)))
    assert picture.count("<polyline") == 4
    assert [
        words
        for words in ("AWS", "p50", "p99", "injected: dynamodb 5 ms", "20 ms", "40 ms")
        if f">{words}<" not in picture
    ] == []
    assert ">no injected delay<" in plot.picture(result | {"delays": {}})
