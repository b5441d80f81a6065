"""Commands and the daemon are cut off at seeded moments: the next command heals, whatever it is."""

import contextlib
import os
import time
from dataclasses import dataclass, field
from random import Random
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, Signals
from typing import Self

import httpx
import pytest

from local.cli import locks
from local.cli.home import Home
from tests.e2e.conftest import assert_nothing_is_left
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
NEXT = ["down", "destroy gcp", "preview gcp", "drift aws", *["up"] * 12]
"""The commands after those, one for each of 16 seeds in a row."""
SHOWN = {5, 20, 31}
"""`destroy` as when the terminal is closed, a preview that is terminated, and an `up` that is killed; `up` is next."""
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
            NEXT[seed % len(NEXT)],
        )


@dataclass
class Battered:
    laptop: Laptop
    ups: list[float] = field(default_factory=list[float])
    """How many seconds each took."""

    def up(self) -> None:
        started = time.monotonic()
        self.laptop.must("up")
        self.ups.append(time.monotonic() - started)


@pytest.fixture(scope="module")
def battered(clouds: Laptop) -> Battered:
    return Battered(clouds)


@seeds(test=SHOWN, prove=60)
def test_the_next_command_heals(battered: Battered, seed: int) -> None:
    laptop = battered.laptop
    cut = Cut.of(seed)
    print(f"seed {seed}: {cut}")
    cut_off(laptop, cut, an_up_takes=min(battered.ups, default=10))

    healed = laptop.run(*cut.next.split())
    assert "Traceback" not in healed.stderr
    assert not locks.is_held(Home(laptop.home).engine_lock)
    if healed.returncode:
        assert cut.next not in ("up", "down"), healed.stderr
        assert any(words in healed.stderr.splitlines()[-1] for words in GONE_OR_UNFINISHED), healed.stderr
    elif cut.next == "down":
        assert_nothing_is_left(laptop)

    if cut.next != "up":
        battered.up()
    for outputs in laptop.outputs().values():
        ready = httpx.get(outputs["url"] + "/health/ready", timeout=30)
        assert ready.status_code == 200, ready.text


def cut_off(laptop: Laptop, cut: Cut, an_up_takes: float) -> None:
    """Also the command must end, and say in one line what happened, unless it was killed."""
    daemon = laptop.daemon()["pid"]
    command = laptop.fork(*cut.command.split())
    if not command.wait(cut.moment * COMMANDS[cut.command] * an_up_takes) or cut.whom == "daemon":
        with contextlib.suppress(ProcessLookupError):
            match cut.whom:
                case "command":
                    os.kill(command.pid, cut.number)
                case "group":
                    os.killpg(command.pid, cut.number)
                case _:
                    os.kill(daemon, cut.number)
    assert command.wait(300)
    ended = command.end()
    assert "Traceback" not in ended.stderr
    if cut.number != SIGKILL and ended.returncode > 0:
        assert len(ended.stderr.splitlines()[-1]) < 400
