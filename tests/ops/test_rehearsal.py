"""The parts of a rehearsal, without a cloud."""

import json
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path

import httpx
import pytest

from rehearsal import builds, plot
from rehearsal.calls import Calls
from rehearsal.scene import Scene
from rehearsal.traffic import Request, Traffic

STATUSES = {"POST": 201, "DELETE": 204}


class Server(ThreadingHTTPServer):
    """Has every user, and keeps waiting for whoever only reads, until it is told to answer or to hang up."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers, self.three_wait = threading.Event(), threading.Event()
        self.hangs_up = False
        self.answered = ""
        self.unavailable_after: float | None = None  # seconds
        self.at_a_time = self.most_at_a_time = 0
        self.lock = threading.Lock()

    @contextmanager
    def counted(self) -> Generator[None]:
        with self.lock:
            self.at_a_time += 1
            self.most_at_a_time = max(self.most_at_a_time, self.at_a_time)
            if self.at_a_time == 3:
                self.three_wait.set()
        try:
            yield
        finally:
            with self.lock:
                self.at_a_time -= 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        with self.server.counted():
            self.server.answers.wait()
        if self.server.hangs_up:
            self.close_connection = True
        elif self.server.unavailable_after is not None:
            time.sleep(self.server.unavailable_after)
            self.send_response(503)
            self.send_header("retry-after", "2")
            self.send_header("content-length", "0")
            self.end_headers()
        else:
            self.do_PUT()

    def do_PUT(self) -> None:
        self.server.answered = self.headers.get("x-answered", "")
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(STATUSES.get(self.command, 200))
        self.send_header("etag", '"1"')
        self.send_header("x-build", "good")
        self.send_header("content-length", "0")
        self.end_headers()

    do_POST = do_DELETE = do_PUT

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_traffic_does_not_wait_for_answers(server: Server) -> None:
    with Traffic(server.url, rate=100, seed=1, most=1000) as traffic:
        traffic.wait(20)  # writes; three reads for each of them wait
        assert {request.method for request in traffic.requests} <= {"POST", "PUT", "DELETE"}
        server.answers.set()
        traffic.wait(100)
    assert [request for request in traffic.requests if request.failed] == []
    assert {request.build for request in traffic.requests} == {"good"}
    assert 20 < json.loads(server.answered)["good"] <= 200


def test_traffic_waits_once_that_many_are_unanswered(server: Server) -> None:
    with Traffic(server.url, rate=100, seed=1, most=3) as traffic:
        assert server.three_wait.wait(60)
        server.answers.set()
        traffic.wait(100)
    assert server.most_at_a_time == 3


def test_a_request_without_an_answer_has_failed(server: Server) -> None:
    server.hangs_up = True
    server.answers.set()
    with Traffic(server.url, rate=100, seed=1, most=1000) as traffic:
        traffic.wait(100)
    assert {request.status for request in traffic.requests if request.method == "GET"} == {0}
    assert {request.failed for request in traffic.requests if request.method == "GET"} == {True}
    assert {request.failed for request in traffic.requests if request.method != "GET"} == {False}


def test_a_store_that_is_late_is_no_failure_and_one_that_refuses_is(server: Server) -> None:
    server.unavailable_after = 0
    server.answers.set()
    with Traffic(server.url, rate=100, seed=1, most=1000) as traffic:
        traffic.wait(50)
        server.unavailable_after = 1.1
        traffic.wait(100)
    reads = [request for request in traffic.requests if request.method == "GET"]
    assert {request.status for request in reads} == {503}
    assert {request.timed_out for request in reads if request.milliseconds > 1000} == {True}
    assert all(request.failed != request.timed_out for request in reads)
    assert {request.failed for request in reads} == {True, False}


def test_the_seed_determines_the_calls() -> None:
    def kinds(seed: int) -> list[str]:
        calls = Calls(seed)
        for user in calls.users:
            calls.learn(calls.create(user), httpx.Response(201, headers={"etag": "1"}))
        return [f"{call.method} {call.path.replace(calls.prefix, '')}" for call in islice(calls, 100)]

    assert kinds(1) == kinds(1) != kinds(2)


def scene(build: str, failing: int, outcome: str) -> Scene:
    """Ten requests a second, of which the new build gets one from second 10 on, and five from second 20 to 30."""
    requests: list[Request] = []
    for number in range(400):
        second, place = divmod(number, 10)
        new = (10 <= second < 20 and place == 0) or (20 <= second < 30 and place < 5)
        failed = new and second >= failing
        requests.append(
            Request(1000 + number / 10, "GET", 500 if failed else 200, 20, build if new else "first", failed)
        )
    steps = [{"at": 1015.0, "verdict": "successful"}, {"at": 1029.0, "verdict": "failed"}]
    result = {"outcome": outcome, "reason": "10 of 50 requests failed", "steps": steps}
    return Scene("aws", build, result, [(1005.0, 0), (1010.0, 10), (1020.0, 50), (1029.0, 0)], requests)


def test_a_scene_with_a_bad_build_is_as_it_should_be() -> None:
    late = scene("late", 27, "rolled back")
    assert list(late.wrong()) == []
    assert (len(late.failed), len(late.canary), late.bound) == (15, 60, 58)
    assert late.seconds_to_rollback == pytest.approx(2.42)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (scene("late", 27, "promoted"), "it was promoted instead of rolled back"),
        (scene("good", 40, "held"), "it was held instead of promoted"),
        (scene("good", 29, "promoted"), "5 requests failed that no bad build got"),
    ],
    ids=["not rolled back", "held", "good and failing"],
)
def test_what_is_wrong_with_a_scene(given: Scene, wrong: str) -> None:
    [found] = given.wrong()
    assert found.startswith(wrong)


def test_a_picture_depends_on_what_is_stored_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "DATA", tmp_path / "rehearsal.json")
    plot.store({"Late": scene("late", 27, "rolled back")})
    [stored] = json.loads(plot.DATA.read_text()).values()
    assert stored["old"] == [10] * 10 + [9] * 10 + [5] * 10 + [10] * 10
    assert stored["new"] == [0] * 10 + [1] * 10 + [5] * 7 + [0] * 13
    assert stored["failed"] == [0] * 27 + [5] * 3 + [0] * 10
    assert stored["moves"] == [[5, 0], [10, 10], [20, 50], [29, 0]]
    picture = plot.draw()
    assert picture == plot.draw()
    assert [word for word in ("0 %", "10 %", "50 %", "rolled back") if f">{word}</text>" not in picture] == []
    assert picture.count("<circle") == 2


def test_a_build_differs_by_its_fault_alone(tmp_path: Path) -> None:
    copies = {name: builds.checkout(tmp_path, name) for name in ("good", "late")}
    files = {
        name: {path.relative_to(copy): path.read_bytes() for path in (copy / "app").rglob("*.py")}
        for name, copy in copies.items()
    }
    assert [path.name for path in files["good"] if files["good"][path] != files["late"][path]] == ["fault.py"]
    for name in builds.ENTRY_POINTS:
        assert "fault.install(app)" in (copies["good"] / "app" / name).read_text()
