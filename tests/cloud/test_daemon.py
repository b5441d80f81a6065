"""The daemon's life: what it leaves behind, and what it does when it is not alone."""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cloud.conftest import ROOT, Daemon
from tests.cloud.test_cloud_run import Cloud


def descendants(pid: int) -> set[int]:
    """The process ids below `pid`, and their children."""
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found |= {child} | descendants(child)
    return found


def wait_until_gone(pids: set[int]) -> None:
    """Fails if one of the processes is still there after 10 seconds."""
    for pid in pids:
        try:
            watch = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            assert select.select([watch], [], [], 10)[0], Path(f"/proc/{pid}/cmdline").read_text()
        finally:
            os.close(watch)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_daemon_and_the_next_one_starts(tmp_path: Path, number: signal.Signals):
    daemon = Daemon.start(tmp_path)
    cloud = Cloud(daemon, tmp_path, "service")
    assert cloud.deployed().get("/").status_code == 200
    children = descendants(daemon.process.pid)
    assert len(children) >= 2
    code = daemon.stop(number)
    wait_until_gone(children)
    assert code == (-9 if number == signal.SIGKILL else 0)
    assert daemon.facts_file.exists() == (number == signal.SIGKILL)
    assert (tmp_path / "run").exists() == (number == signal.SIGKILL)
    next_one = Daemon.start(tmp_path, previous=daemon.process.pid)
    assert next_one.control.get("/health").json() == {"status": "ok"}
    assert next_one.stop() == 0
    assert "Traceback" not in next_one.log


def test_a_second_daemon_on_the_same_home_refuses_in_one_line(daemon: Daemon):
    command = [sys.executable, "-m", "local.cloud.daemon", "--home", daemon.home]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr.splitlines() == [
        f"another daemon of the laptop's clouds is running in {daemon.home}: stop it with `make down`"
    ]
    assert daemon.control.get("/health").is_success


def test_everything_listens_on_127_0_0_1_only(daemon: Daemon):
    pids = {daemon.process.pid} | descendants(daemon.process.pid)
    inodes = {
        link.readlink().name.removeprefix("socket:[").removesuffix("]")
        for pid in pids
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.readlink().name.startswith("socket:")
    }
    addresses: set[str] = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                addresses.add(fields[1].partition(":")[0])
    assert addresses
    assert addresses <= {"0100007F", "0000000000000000FFFF00000100007F"}


def test_a_port_that_is_taken_is_passed_over(daemon: Daemon, tmp_path: Path):
    cloud = Cloud(daemon, tmp_path, "first")
    port = cloud.deployed().base_url.port
    assert port
    assert port >= 8082
    with socket.create_connection(("127.0.0.1", port)):
        other = Cloud(daemon, tmp_path, "second")
        assert (other.deployed().base_url.port or 0) > port
    for name in ("first", "second"):
        assert cloud.delete("gcp:cloudrunv2/service:Service", name).status_code == 204


def test_what_the_control_api_does_not_know_is_one_line(daemon: Daemon):
    assert daemon.control.put("/aws/apis/none").json() == {"error": "HTTP API none does not exist"}
    assert daemon.control.get("/aws/apis/none").status_code == 404
    assert daemon.control.get("/gcp/resources/a/b").json() == {"error": "a b does not exist"}
    assert daemon.control.get("/nowhere").json() == {"error": "GET /nowhere is not known"}
    assert daemon.control.put("/gcp/resources/a/b", content=b"{").status_code == 400


def test_daemon_json_is_for_its_owner_only(daemon: Daemon):
    assert daemon.facts_file.stat().st_mode & 0o077 == 0
    assert daemon.facts["pid"] == daemon.process.pid
