"""Runs of a load with stand-ins for the clouds and for locust: what it reads, sums up and survives."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Self
from unittest.mock import Mock

import httpx
import pytest

from benchmarks.load import load, people, plot, runner
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
    monkeypatch.setattr(httpx, "Client", Mock(return_value=client))
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

    def __enter__(self) -> Self:
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
    monkeypatch.setattr(people, "prepare", Mock())

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
        monkeypatch.setattr(load, "injected", nullcontext)
        targets = [Target(name, "https://a.test", Stack(name, {}, laptop)) for name in names]
        test = load.Load(targets, runner.Plan(30, 1, 1), None)
        clock.now += 1
        monkeypatch.setattr(load, "Locust", Mock(return_value=FakeLocust(clock, list(names), 30, failed)))
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
