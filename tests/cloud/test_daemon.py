"""The daemon's life: what it leaves behind, and what it does when it is not alone."""

import asyncio
import fcntl
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from local.cloud.common.processes import Child
from local.cloud.gcp.firestore.emulator import LOST, GoogleEmulator
from local.cloud.gcp.firestore.java import JAR, emulator_jar
from tests.cloud.conftest import ROOT, Daemon, Deploy, deploying
from tests.cloud.test_cloud_run import Cloud
from tests.processes import command_line

COMMAND = [sys.executable, "-m", "local.cloud.daemon", "--home"]
# Not in `preexec_fn`: Python then forks, and gRPC, which this process uses, may abort the child.
NO_BYTES = (
    "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); os.execv(sys.argv[1], sys.argv[1:])"
)
SIGNALS = [
    signal.SIGKILL,
    pytest.param(signal.SIGTERM, marks=pytest.mark.prove),
    pytest.param(signal.SIGINT, marks=pytest.mark.prove),
    pytest.param(signal.SIGHUP, marks=pytest.mark.prove),
]
DATABASE = "gcp:firestore/database:Database"


def descendants(daemon: Daemon, *programs: str) -> list[psutil.Process]:
    """The processes below the daemon; with `programs`, those that have one of these texts in their command lines."""
    return [
        process
        for process in psutil.Process(daemon.process.pid).children(recursive=True)
        if not programs or any(program in command_line(process) for program in programs)
    ]


def wait_until_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert alive == []


@pytest.mark.parametrize("number", SIGNALS)
def test_nothing_outlives_the_daemon_and_the_next_one_starts(tmp_path: Path, number: signal.Signals):
    daemon = Daemon.start(tmp_path)
    cloud = Cloud(daemon, tmp_path, "service")
    assert cloud.deployed().get("/").status_code == 200
    children = descendants(daemon)
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


def test_a_daemon_that_nobody_would_find_any_more_ends(tmp_path: Path):
    daemon = Daemon.start(tmp_path / "home")
    children = descendants(daemon)
    shutil.rmtree(daemon.home)
    assert daemon.process.wait(30) == 0
    wait_until_gone(children)


def test_children_that_die_together_are_replaced(tmp_path: Path):
    daemon = Daemon.start(tmp_path)
    daemon.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")
    with deploying(daemon) as deploy:
        clients = [
            deploy("def handler(event, context): return 1").http,
            Cloud(daemon, tmp_path, "service").deployed(),
        ]
        assert [client.get("/").status_code for client in clients] == [200, 200]
        [reaper] = descendants(daemon, "reaper.py")
        children = [child for child in descendants(daemon) if child != reaper]
        for child in children:
            child.kill()
        wait_until_gone(children)
        assert [client.get("/").status_code for client in clients] == [200, 200]
    assert daemon.stop() == 0


def test_the_lock_is_inherited_and_free_when_the_last_child_is_dead(tmp_path: Path):
    with (tmp_path / "daemon.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        daemon = Daemon.start(tmp_path, lock=lock.fileno())
    assert Cloud(daemon, tmp_path, "service").deployed().get("/").status_code == 200
    assert (tmp_path / "daemon.lock").read_text() == f"{daemon.process.pid}\n"
    [reaper] = descendants(daemon, "reaper.py")
    ends = [os.pidfd_open(child.pid) for child in descendants(daemon) if child != reaper]
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        reaper.send_signal(number)
    daemon.stop(signal.SIGKILL)
    with (tmp_path / "daemon.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert select.select(ends, [], [], 0)[0] == ends
    for end in ends:
        os.close(end)


def test_a_second_daemon_on_the_same_home_refuses_in_one_line(daemon: Daemon):
    second = subprocess.run([*COMMAND, daemon.home], cwd=ROOT, capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr.splitlines() == [
        f"another daemon of the laptop's clouds is running in {daemon.home}: stop it with `make down`"
    ]
    assert daemon.control.get("/health").is_success


def test_a_full_disk_is_one_line(tmp_path: Path):
    command = [sys.executable, "-c", NO_BYTES, *COMMAND, tmp_path]
    full = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (full.returncode, full.stderr) == (
        1,
        f"the laptop's clouds cannot run in {tmp_path}: [Errno 27] File too large\n",
    )


@pytest.mark.parametrize("blocked", ["", "logs", "run", "daemon.lock", "daemon.unfinished"])
def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path, blocked: str):
    """Folders have the names of files, and a file those of folders: root could write anything else."""
    home = tmp_path / "home"
    if blocked.startswith("daemon."):
        (home / blocked).mkdir(parents=True)
    else:
        (home / blocked).parent.mkdir(exist_ok=True)
        (home / blocked).touch()
    environment = os.environ | {"PATH": ""}
    refusal = subprocess.run([*COMMAND, home], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert refusal.returncode == 1
    assert re.fullmatch(f"the laptop's clouds cannot run in {home}: .*\n", refusal.stderr)


def emulator_of_one_line(folder: Path, line: str) -> str:
    """A PATH with a Google Cloud SDK on it, and a Java that runs this line of shell instead."""
    jar, java, gcloud = folder / JAR, folder / "bin" / "java", folder / "bin" / "gcloud"
    for file in (jar, java, gcloud):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o700)
    return str(folder / "bin")


def test_an_emulator_that_dies_while_it_starts_is_one_line(tmp_path: Path):
    daemon = Daemon.start(tmp_path, emulator_of_one_line(tmp_path / "sdk", "kill -9 $$"))
    message = (
        f"Google's Firestore emulator ended while it started: see {tmp_path}/logs/firestore.log, mend that, "
        "then `make down` and `make up`"
    )
    refusal = Cloud(daemon, tmp_path, "service").put(DATABASE, "users", {"project": "p", "name": "users"})
    assert (refusal.status_code, refusal.json()) == (400, {"error": message})
    assert daemon.control.get("/health").status_code == 200
    assert daemon.stop() == 0
    assert daemon.log.splitlines() == [message]


@pytest.mark.prove
def test_the_daemon_ends_while_an_emulator_hangs(tmp_path: Path):
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    environment = os.environ | {"PATH": emulator_of_one_line(tmp_path / "sdk", f"echo $$ > {begun}; kill -STOP $$")}
    daemon = subprocess.Popen([*COMMAND, tmp_path], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    child = psutil.Process(int(begun.read_text()))
    daemon.terminate()
    assert (daemon.communicate(timeout=60)[1], daemon.returncode) == ("", 0)
    wait_until_gone([child])


@pytest.fixture
def with_google(tmp_path: Path) -> Daemon:
    if not emulator_jar():
        pytest.skip("Google's Firestore emulator needs java and a Google Cloud SDK with the emulator")
    return Daemon.start(tmp_path, os.environ["PATH"])


@pytest.mark.prove
def test_an_emulator_that_dies_is_told_and_can_still_be_cleared(with_google: Daemon, tmp_path: Path):
    cloud = Cloud(with_google, tmp_path, "service")
    assert cloud.put(DATABASE, "users", {"project": "p", "name": "users"}).status_code == 200
    assert_only_this_machine_is_listened_to(with_google)
    assert with_google.control.get("/health").status_code == 200
    [emulator] = descendants(with_google, JAR)
    emulator.kill()
    wait_until_gone([emulator])
    health = with_google.control.get("/health")
    assert (health.status_code, health.json()) == (503, {"error": LOST})
    assert cloud.delete(DATABASE, "users").status_code == 204
    assert with_google.stop() == 0
    assert with_google.log.splitlines() == [LOST]


@pytest.mark.prove
def test_an_emulator_that_hangs_does_not_hold_up_the_end(with_google: Daemon, tmp_path: Path):
    assert Cloud(with_google, tmp_path, "service").put(DATABASE, "users", {"project": "p", "name": "users"}).is_success
    [emulator] = descendants(with_google, JAR)
    emulator.suspend()
    assert with_google.stop() == 0
    wait_until_gone([emulator])
    assert with_google.log == ""


def test_nothing_in_the_home_is_for_others(daemon: Daemon, deploy: Deploy, tmp_path: Path):
    cloud = Cloud(daemon, tmp_path, "private")
    clients = [deploy("def handler(event, context): return 1").http, cloud.deployed()]
    assert [client.get("/").status_code for client in clients] == [200, 200]
    found = {file: file.lstat().st_mode for file in daemon.home.rglob("*") if not file.is_symlink()}
    assert {"daemon.json", "daemon.lock", "main.py", "server.py", "pyvenv.cfg"} <= {file.name for file in found}
    assert not [str(file) for file, mode in found.items() if mode & 0o077]
    cloud.delete("gcp:cloudrunv2/service:Service", cloud.name)


def test_only_this_machine_is_listened_to(daemon: Daemon):
    assert_only_this_machine_is_listened_to(daemon)


def assert_only_this_machine_is_listened_to(daemon: Daemon) -> None:
    processes = {daemon.process.pid, *(process.pid for process in descendants(daemon))}
    addresses = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.laddr and connection.pid in processes and connection.status == psutil.CONN_LISTEN
    }
    assert addresses
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_a_port_that_is_taken_is_passed_over(daemon: Daemon, tmp_path: Path):
    cloud = Cloud(daemon, tmp_path, "first")
    port = cloud.deployed().base_url.port
    assert port
    assert port >= 8082
    with socket.create_connection(("127.0.0.1", port)):
        other = Cloud(daemon, tmp_path, "second")
        assert other.deployed().base_url.port != port
    for name in ("first", "second"):
        assert cloud.delete("gcp:cloudrunv2/service:Service", name).status_code == 204


def test_an_emulator_that_hangs_is_killed_instead_of_cleared(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("local.cloud.gcp.firestore.emulator.CLEARS_WITHIN", 0.1)

    async def clear() -> tuple[int, str]:
        child = Child(await asyncio.create_subprocess_exec("sleep", "infinity", process_group=0))
        with socket.create_server(("127.0.0.1", 0)) as hanging:
            works = asyncio.sleep(0)
            emulator = GoogleEmulator(f"127.0.0.1:{hanging.getsockname()[1]}", child, Path("log"), works)
            await emulator.ready()
            assert not emulator.lost
            await emulator.clear("p", "users")
            return await child.exited, emulator.lost

    assert asyncio.run(clear()) == (-signal.SIGKILL, LOST)
