"""Commands and the daemon are cut off at seeded moments: the next command heals, whatever it is."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, Signals
from typing import Self

import httpx
import pytest

from local import locks
from local.home import Home
from tests.e2e.laptop import Laptop
from tests.tiers import seeds

COMMANDS = {
    "up": 1.0,
    "up --rollout 10": 1.0,
    "up --refresh": 1.0,
    "down": 0.8,
    "destroy aws": 0.6,
    "preview aws": 0.6,
    "drift gcp": 0.4,
}
"""The commands, and about how long they take compared with an `up` of both stacks."""
NEXT = [*["up"] * 4, "down", "destroy gcp", "preview gcp", "drift aws"]
GONE_OR_UNFINISHED = ("not running", "not up", "completes it", "drifted", "killed in the middle", "starts the")


@dataclass(frozen=True)
class Cut:
    command: str
    number: Signals
    whom: str
    """the command, its process group (as the terminal does), or the daemon"""
    moment: float
    """of the time that the command takes"""
    next: str

    @classmethod
    def of(cls, seed: int) -> Self:
        random = Random(seed)
        return cls(
            random.choice(list(COMMANDS)),
            random.choice([SIGINT, SIGTERM, SIGHUP, SIGKILL]),
            random.choice(["command", "group", "group", "daemon"]),
            random.random(),
            random.choice(NEXT),
        )


@pytest.fixture(scope="module")
def battered() -> Iterator[tuple[Laptop, float]]:
    """A laptop for this module alone, both stacks up, and how many seconds its second `up` took."""
    laptop, urls = Laptop(Path(tempfile.mkdtemp(prefix="better-together-"))), list[str]()
    try:
        laptop.must("up")
        started = time.monotonic()
        laptop.must("up")
        yield laptop, time.monotonic() - started
        for name, outputs in laptop.outputs().items():
            assert laptop.must("drift", name) == f"stack {name} is as its last up left it\n"
            urls.append(outputs["url"])
        laptop.must("down")
        nothing_is_left(laptop, urls)
    finally:
        laptop.run("down")
        shutil.rmtree(laptop.home)


def nothing_is_left(laptop: Laptop, urls: list[str]) -> None:
    assert laptop.processes() == []
    for url in urls:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", httpx.URL(url).port or 0)) != 0
    left = {path.name for path in laptop.home.iterdir()}
    assert left == {"command.lock", "daemon.lock", "engine.lock", "pulumi"}
    assert [path.name for path in (laptop.home / "pulumi").iterdir()] == ["plugins"]


@pytest.mark.long
@seeds(test=3, prove=60)
def test_the_next_command_heals(battered: tuple[Laptop, float], seed: int) -> None:
    laptop, an_up_takes = battered
    cut = Cut.of(seed)
    print(f"seed {seed}: {cut}")
    cut_off(laptop, cut, an_up_takes)

    healed = laptop.run(*cut.next.split())
    assert "Traceback" not in healed.stderr
    assert not locks.is_held(Home(laptop.home).engine_lock)
    if healed.returncode:
        assert cut.next not in ("up", "down"), healed.stderr
        assert any(words in healed.stderr.splitlines()[-1] for words in GONE_OR_UNFINISHED), healed.stderr
    elif cut.next == "down":
        nothing_is_left(laptop, [])

    if cut.next != "up":
        laptop.must("up")
    for outputs in laptop.outputs().values():
        ready = httpx.get(outputs["url"] + "/health/ready", timeout=30)
        assert ready.status_code == 200, ready.text


def cut_off(laptop: Laptop, cut: Cut, an_up_takes: float) -> None:
    """Also the command must end, and say in one line what happened, unless it was killed."""
    daemon = laptop.daemon()["pid"]
    process = laptop.start(*cut.command.split())
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(cut.moment * COMMANDS[cut.command] * an_up_takes)
    with contextlib.suppress(ProcessLookupError):
        match cut.whom:
            case "command":
                process.send_signal(cut.number)
            case "group":
                os.killpg(process.pid, cut.number)
            case _:
                os.kill(daemon, cut.number)
    said = process.communicate(timeout=300)[1]
    assert "Traceback" not in said
    if cut.number != SIGKILL and process.returncode > 0:
        assert len(said.splitlines()[-1]) < 400
