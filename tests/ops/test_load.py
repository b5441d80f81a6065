"""The parts of a load test, without a cloud and without locust."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from benchmarks.load import __main__ as command
from benchmarks.load import delays, load, people, plot, runner, summary
from benchmarks.load.summary import BUCKET, Line, Request
from benchmarks.load.table import table
from benchmarks.load.targets import Target, find
from ops import metric_log
from ops.metric_log import Time
from ops.stack import Laptop, Stack, UsageError

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
    monkeypatch.setattr(Stack, "find", lambda name, home: Stack(name, {"url": "https://a.test"}))
    assert [target.name for target in find(["aws", "gcp", "aws"], None, tmp_path)] == ["aws", "gcp"]


def test_every_request_of_the_preparation_waits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(201 if request.method == "PUT" else 404)

    client = httpx.Client(base_url="https://a.test", transport=httpx.MockTransport(answer))
    monkeypatch.setattr(httpx, "Client", lambda **_: client)
    monkeypatch.setattr("time.sleep", pauses.append)
    people.prepare("https://a.test", None, 0.125, 2)
    assert pauses == [0.125] * 140
    assert capsys.readouterr().out == "creating up to 120 users at https://a.test, 15 s or longer\n"


class Clock:
    """Stands for the module `time`; locust's waits let it go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class FakeLocust:
    """Runs for `seconds`, with a request in each of them."""

    def __init__(self, clock: Clock, names: list[str], seconds: int, failed: bool) -> None:
        self._clock, self._names, self._failed, self._end = clock, names, failed, clock.now + seconds
        self.requests: list[Request] = []

    def __enter__(self) -> "FakeLocust":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self, seconds: int) -> int | None:
        for _ in range(seconds):
            self.requests += [Request(self._clock.now, name, "GET:/users", 10, self._failed) for name in self._names]
            self._clock.now += 1
        return 0 if self._clock.now >= self._end else None


type Run = Callable[..., tuple[int, list[tuple[float, float]]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a load of 30 s on stacks; the exit code, and the windows in which their logs were read."""
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(load, "FOLDER", tmp_path)
    monkeypatch.setattr(load, "REPORT", tmp_path / "report.html")
    monkeypatch.setattr(plot, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(people, "prepare", lambda *_: None)  # pyright: ignore[reportUnknownLambdaType]

    def run(
        *names: str, laptop: Laptop | None = None, failed: bool = False, stops: float = 9999
    ) -> tuple[int, list[tuple[float, float]]]:
        clock, windows = Clock(), list[tuple[float, float]]()

        def read(_: Stack, begin: float, end: float) -> list[Time]:
            if clock.now > stops:
                raise UsageError("the local clouds have stopped")
            windows.append((begin, end))
            return [Time(at, "dynamodb", 5) for at in range(int(begin), int(end))]

        monkeypatch.setattr(load, "time", clock)
        monkeypatch.setattr(metric_log, "read", read)
        monkeypatch.setattr(load, "injected", lambda _: FakeLocust(clock, [], 0, False))  # pyright: ignore[reportUnknownLambdaType]
        monkeypatch.setattr(load, "Locust", lambda *_: FakeLocust(clock, list(names), 30, failed))  # pyright: ignore[reportUnknownLambdaType]
        targets = [Target(name, "https://a.test", Stack(name, {}, laptop)) for name in names]
        test = load.Load(targets, runner.Plan(30, 1, 1), None)
        clock.now += 1
        return test.run(docs=True), windows

    return run


def test_logs_are_read_once_and_only_when_they_are_readable(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, windows = run("aws")
    assert (code, windows) == (0, [(1000, 1001), (1001, 1006), (1006, 1031)])
    tables = [part.splitlines() for part in capsys.readouterr().out.split("\n\n")]
    assert [rows[0].split()[0] for rows in tables] == ["5", "10", "15", "20", "25", "all"]
    assert {row.split()[1] for rows in tables for row in rows[2:] if row.startswith(("GET", "dynamodb"))} == {"1.0"}


def test_clouds_that_stop_leave_the_numbers_so_far(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run("aws", laptop=Laptop(tmp_path, "", ""), stops=1012)[0] == 1
    said = capsys.readouterr()
    assert said.err == "the local clouds have stopped\n"
    assert "\nall 15 s" in said.out
    assert "locust's report" not in said.out


@pytest.mark.parametrize(
    ("names", "on_laptop", "failed", "drawn"),
    [
        (["aws", "gcp"], True, False, True),
        (["aws", "gcp"], True, True, False),
        (["aws"], True, False, False),
        (["aws", "gcp"], False, False, False),
    ],
)
def test_only_a_whole_load_of_the_laptop_is_drawn(
    names: list[str],
    on_laptop: bool,
    failed: bool,
    drawn: bool,
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(*names, laptop=Laptop(tmp_path, "", "") if on_laptop else None, failed=failed)
    assert (tmp_path / "docs" / "load.json").exists() == drawn
    assert ("docs/load.json stays as it is" in capsys.readouterr().out) == (not drawn)


@pytest.fixture
def locust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], runner.Locust]:
    """A shell script in place of locust."""

    def start(script: str) -> runner.Locust:
        executable = tmp_path / "locust"
        executable.write_text(f"#!/bin/sh\n{script}\n")
        executable.chmod(0o755)
        for name, path in {"LOCUST": executable, "FOLDER": tmp_path, "REPORT": tmp_path / "report.html"}.items():
            monkeypatch.setattr(runner, name, path)
        monkeypatch.setattr(runner, "LOG", tmp_path / "locust.log")
        monkeypatch.setattr(runner, "ENDS_WITHIN", 0.05)
        return runner.Locust({"aws": "https://a.test"}, runner.Plan(1, 1, 1), None)

    return start


def test_a_locust_that_dies_at_once_is_seen(locust: Callable[[str], runner.Locust], tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("of an earlier load")
    died = locust("exit 3")
    assert died.wait(60) == 3
    with died:
        assert died.wait(0) == 3
    assert died.requests == []
    assert not (tmp_path / "report.html").exists()


def test_a_locust_that_hangs_is_killed_and_its_requests_count(locust: Callable[[str], runner.Locust]) -> None:
    line = json.dumps([1, "aws", "GET:/users", 2, False])
    with locust(f"trap '' INT; head -n 1 >/dev/null; echo '{line}'; exec sleep 60") as hangs:
        while not hangs.requests:
            assert hangs.wait(0.01) is None
    assert hangs.wait(60) == -9
    assert hangs.requests == [Request(1, "aws", "GET:/users", 2, failed=False)]


def test_clouds_that_stop_while_they_delay_are_no_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    daemon = SimpleNamespace(control=f"http://127.0.0.1:{port}", token="")
    monkeypatch.setattr(delays.clouds, "required", lambda _: daemon)  # pyright: ignore[reportUnknownLambdaType]
    cut = threading.Event()

    def answer() -> None:
        connection, _ = server.accept()
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        cut.wait()
        connection.shutdown(socket.SHUT_WR)
        connection.makefile("rb").read()
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    with delays.injected(tmp_path):
        cut.set()
    thread.join()
    server.close()
    with pytest.raises(UsageError, match=r"^the laptop's clouds do not answer: .*refused$"), delays.injected(tmp_path):
        pass


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
