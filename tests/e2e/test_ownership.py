"""Whose clouds they are is asked of the locks: a daemon that lives keeps its state, and one that is of no use goes."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from threading import Timer

import pytest

from local.cli import clouds, commands, destruction, locks
from local.cli import home as homes
from local.cli.home import Home, LocalError
from tests.e2e.breaking import await_held, broken
from tests.e2e.laptop import ROOT, Laptop

START = """
import sys
from pathlib import Path
from local.cli import clouds
from local.cli.home import Home

home = Home(Path(sys.argv[1]))
with clouds.starting(home):
    clouds.wait_until_started(home)
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
        asking = clouds.start("outputs")
        Timer(7, os.kill, (daemon["pid"], SIGCONT)).start()
        said = asking.communicate()
    finally:
        os.kill(daemon["pid"], SIGCONT)
    assert asking.returncode == 0, said
    assert clouds.daemon() == daemon
    assert clouds.outputs() == before


def hang(home: Home) -> None:
    os.kill(json.loads(home.facts.read_text())["pid"], SIGSTOP)


def lose_what_it_said(home: Home) -> None:
    home.facts.write_text("")


def take_it_from_another_home(home: Home) -> None:
    facts = json.loads(home.facts.read_text())
    home.facts.write_text(json.dumps(facts | {"pid": facts["pid"] + 1}))


def name_it_nowhere(home: Home) -> None:
    home.facts.unlink()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("ONE_ANSWER_WITHIN", "ANSWERS_WITHIN", "STOPS_WITHIN"):
        monkeypatch.setattr(clouds, name, 1)
    monkeypatch.setattr(homes, "ENGINES_END_WITHIN", 1)
    home = Home(tmp_path)
    with home.exclusive():
        return home


@pytest.fixture
def running(home: Home) -> Iterator[Home]:
    """A daemon without stacks, and with the built-in Firestore: no Java is on its PATH."""
    command = [sys.executable, "-c", START, home.path]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": ""}, check=True)
    yield home
    locks.signal_holders(home.daemon_lock, SIGKILL)


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (hang, "have not answered for 1 s"),
        pytest.param(name_it_nowhere, "have not answered for 1 s", marks=pytest.mark.prove),
        (lose_what_it_said, "daemon.json cannot be read"),
        (take_it_from_another_home, "daemon.json describes other clouds than those that run here"),
    ],
)
def test_a_daemon_that_is_of_no_use_is_told_and_stopped(
    running: Home, capfd: pytest.CaptureFixture[str], break_it: Callable[[Home], None], reason: str
) -> None:
    break_it(running)
    with pytest.raises(LocalError, match=f"{reason}: `make up` starts"):
        commands.outputs(running)
    with pytest.raises(LocalError, match=f"{reason}: `make up` starts"):
        commands.preview(running, "aws")
    assert locks.is_held(running.daemon_lock)
    destruction.down(running)
    assert f"{reason}: stopping them" in capfd.readouterr().err
    assert not locks.is_held(running.daemon_lock)


def test_a_daemon_of_another_version_is_told_and_stopped(running: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clouds, "ANSWERS_WITHIN", 60)
    facts = json.loads(running.facts.read_text())
    running.facts.write_text(json.dumps({name: facts[name] for name in ("control", "token")}))
    with pytest.raises(LocalError, match="from another version of this project: `make up` starts"):
        commands.outputs(running)
    destruction.down(running)
    assert not locks.is_held(running.daemon_lock)


def test_clouds_that_start_while_their_command_is_killed_are_not_overlooked(laptop: Laptop) -> None:
    lock = Home(laptop.home).daemon_lock
    up = laptop.start("up")
    while not (lock.exists() and lock.read_text()):
        assert up.poll() is None
        time.sleep(0.01)
    os.killpg(up.pid, SIGKILL)
    up.communicate()
    assert "the laptop's clouds are gone" in laptop.run("down").stderr
    assert laptop.processes() == {}


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
        destruction.down(home)


def remove_the_state(laptop: Laptop) -> None:
    shutil.rmtree(laptop.home / "state")


def cut_the_state(laptop: Laptop) -> None:
    [state] = (laptop.home / "state").glob(".pulumi/stacks/*/aws.json")
    os.truncate(state, 100)


@contextmanager
def creating(laptop: Laptop) -> Generator[subprocess.Popen[str]]:
    """An `up` in the middle of a create. If that is cut off, the engine knows nothing of what it made."""
    laptop.must("destroy", "aws")
    with broken(laptop, "momento", "held"), laptop.start("up", "aws") as up:
        await_held(laptop, "momento")
        yield up


def kill_a_plugin(laptop: Laptop) -> None:
    with creating(laptop) as up:
        [plugin] = [pid for pid, command in laptop.processes().items() if "pulumi-resource-momento" in command]
        os.kill(plugin, SIGKILL)
        assert "failed: the error is above" in up.communicate()[1]


def kill_the_command(laptop: Laptop) -> None:
    """The providers aws and gcp run in it, so they die with it."""
    with creating(laptop) as up:
        up.kill()


@pytest.mark.prove
@pytest.mark.parametrize("lose", [remove_the_state, cut_the_state, kill_a_plugin, kill_the_command])
def test_a_state_that_tells_no_truth_ends_with_the_clouds(laptop: Laptop, lose: Callable[[Laptop], None]) -> None:
    laptop.must("up", "aws")
    lose(laptop)
    assert "starts the clouds afresh" in laptop.run("drift", "aws").stderr
    assert "starts the clouds afresh" in laptop.run("preview", "aws").stderr
    laptop.must("up", "aws")
    assert laptop.must("drift", "aws") == "stack aws has not drifted\n"
    lose(laptop)
    laptop.must("down")
    assert laptop.processes() == {}
