"""A load when locust or the laptop's clouds fail."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from benchmarks.load import delays, runner
from benchmarks.load.summary import Request
from ops.stack import UsageError


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
    monkeypatch.setattr(delays.clouds, "required", Mock(return_value=daemon))
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
