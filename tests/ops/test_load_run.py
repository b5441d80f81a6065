"""Runs of a load with stand-ins for the clouds and for locust: what it reads, sums up and survives."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from benchmarks.load import delays, load, people, plot, runner
from benchmarks.load.summary import Request
from benchmarks.load.targets import Target
from ops import metric_log
from ops.metric_log import Time
from ops.stack import Laptop, Stack, UsageError


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
