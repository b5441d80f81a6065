"""Whose clouds they are is asked of the locks: a daemon that lives keeps its state, and one that is of no use goes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from threading import Timer

import pytest

from local import clouds, commands, locks
from local import home as homes
from local.home import Home, LocalError
from tests.e2e.laptop import ROOT, Laptop

START = """
import sys
from pathlib import Path
from local import clouds
from local.home import Home

with clouds.starting(Home(Path(sys.argv[1]))) as wait_for_daemon:
    wait_for_daemon()
"""
ENGINE = """
exec 9>>"$1"
flock --shared 9
echo $$ >&9
trap '' INT TERM
echo at work
read -r line
"""


def test_a_daemon_that_is_slow_is_waited_for_and_keeps_its_state(clouds: Laptop) -> None:
    before, daemon = clouds.outputs(), clouds.daemon()
    os.kill(daemon["pid"], SIGSTOP)
    try:
        preview = clouds.start("preview", "aws")
        Timer(7, os.kill, (daemon["pid"], SIGCONT)).start()
        said = preview.communicate()
    finally:
        os.kill(daemon["pid"], SIGCONT)
    assert preview.returncode == 0, said
    assert clouds.daemon() == daemon
    assert clouds.outputs() == before


def hang(home: Home) -> None:
    os.kill(json.loads(home.facts.read_text())["pid"], SIGSTOP)


def lose_what_it_said(home: Home) -> None:
    home.facts.write_text("")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for module, name in ((clouds, "ANSWERS_WITHIN"), (clouds, "STOPS_WITHIN"), (homes, "ENGINES_END_WITHIN")):
        monkeypatch.setattr(module, name, 1)
    return Home(tmp_path)


@pytest.fixture
def running(home: Home) -> Iterator[Home]:
    """A daemon without stacks."""
    subprocess.run([sys.executable, "-c", START, home.path], cwd=ROOT, check=True)
    yield home
    locks.signal_holders(home.daemon_lock, SIGKILL)


@pytest.mark.parametrize("break_it", [hang, lose_what_it_said])
def test_a_daemon_that_is_of_no_use_is_told_and_stopped(
    running: Home, capfd: pytest.CaptureFixture[str], break_it: Callable[[Home], None]
) -> None:
    break_it(running)
    with pytest.raises(LocalError, match="have not answered for 1 s: `make up` starts"):
        commands.outputs(running)
    with pytest.raises(LocalError, match="have not answered for 1 s: `make up` starts"):
        commands.preview(running, "aws")
    assert locks.is_held(running.daemon_lock)
    commands.down(running)
    assert "have not answered for 1 s: stopping them" in capfd.readouterr().err
    assert not locks.is_held(running.daemon_lock)


def test_a_daemon_of_another_version_is_told_and_stopped(running: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clouds, "ANSWERS_WITHIN", 60)
    facts = json.loads(running.facts.read_text())
    running.facts.write_text(json.dumps({name: facts[name] for name in ("control", "token")}))
    with pytest.raises(LocalError, match="of another version of this project: `make up` starts"):
        commands.outputs(running)
    commands.down(running)
    assert not locks.is_held(running.daemon_lock)


def test_clouds_that_start_while_their_command_is_killed_are_not_overlooked(laptop: Laptop) -> None:
    lock = Home(laptop.home).daemon_lock
    up = laptop.start("up")
    while not (lock.exists() and locks.is_held(lock)):
        assert up.poll() is None
        time.sleep(0.01)
    os.killpg(up.pid, SIGKILL)
    up.communicate()
    assert "the laptop's clouds are gone" in laptop.run("down").stderr
    assert laptop.processes() == []


@pytest.fixture
def engine(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """Something that holds engine.lock as an engine does, until it reads a line."""
    command = ["sh", "-c", ENGINE, "sh", home.engine_lock]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"at work\n"
        yield process
        process.kill()


def test_an_engine_that_outlives_its_command_is_waited_for(
    home: Home, engine: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homes, "ENGINES_END_WITHIN", 60)
    assert engine.stdin
    Timer(0.5, engine.stdin.close).start()
    with home.exclusive():
        assert engine.wait() == 1


def test_an_engine_that_never_ends_is_killed(home: Home, engine: subprocess.Popen[bytes]) -> None:
    with home.exclusive():
        assert engine.wait() == -SIGKILL


def test_one_command_at_a_time(home: Home) -> None:
    with home.exclusive(), pytest.raises(LocalError, match="another `make up` or `make down` is at work"):
        commands.down(home)
