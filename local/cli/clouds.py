"""Finds, starts and stops the daemon of the laptop's clouds, which holds its lock as long as it runs."""

import json
import subprocess
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from signal import SIGTERM
from typing import Any

from local.cli import locks
from local.cli.home import APP_PYTHON, ROOT, Home, LocalError
from ops.terminal import say_aside

ANSWERS_WITHIN = 180  # seconds
STOPS_WITHIN = 60  # seconds
ONE_ANSWER_WITHIN = 5  # seconds


@dataclass(frozen=True)
class Daemon:
    """The running clouds, from daemon.json."""

    pid: int
    control: str
    token: str
    aws: str
    firestore: str
    """host:port"""
    momento: str
    momento_api_key: str
    firestore_kind: str
    issuer: str
    google: str


class Unusable(LocalError):
    """The clouds run but no longer work."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}: `make up` starts the laptop's clouds afresh, `make down` stops them")
        self.reason = reason


def running(home: Home) -> Daemon | None:
    """The daemon, or None if none runs. Waits for one that is starting. Raises Unusable."""
    if not home.daemon_lock.exists():
        return None
    started = time.monotonic()
    progress = started + 10
    while locks.is_held(home.daemon_lock):
        if daemon := _answer(home):
            return daemon
        if time.monotonic() > started + ANSWERS_WITHIN:
            raise Unusable(f"the laptop's clouds have not answered for {ANSWERS_WITHIN} s")
        if time.monotonic() > progress:
            say_aside("waiting for the laptop's clouds to answer ...")
            progress += 15
        time.sleep(0.05)
    return None


def required(home: Home) -> Daemon:
    """The daemon. Raises LocalError if the clouds do not run or do not work."""
    daemon = running(home)
    if not daemon:
        raise LocalError("the laptop's clouds are not running: `make up` starts them")
    return daemon


def usable(home: Home) -> Daemon | None:
    """The daemon, or None if none runs. Stops one that does not work."""
    try:
        return running(home)
    except Unusable as error:
        say_aside(f"{error.reason}: stopping them")
        stop(home)
        return None


def _answer(home: Home) -> Daemon | None:
    """The daemon in daemon.json, or None while it does not answer.

    Raises Unusable if the file is broken or the daemon has lost data.
    """
    try:
        facts = json.loads(home.facts.read_text())
    except FileNotFoundError:
        return None  # the daemon is starting
    except (OSError, ValueError):
        raise Unusable(f"{home.facts} cannot be read") from None
    daemon = _daemon(facts)
    holders = home.daemon_lock.read_text(errors="replace").split()
    if holders and str(daemon.pid) not in holders:
        raise Unusable(f"{home.facts} describes other clouds than those that run here")
    try:
        with closing(HTTPConnection(daemon.control.removeprefix("http://"), timeout=ONE_ANSWER_WITHIN)) as control:
            control.request("GET", "/health", headers={"Authorization": f"Bearer {daemon.token}"})
            answer = control.getresponse()
            health = json.load(answer)
    except (OSError, HTTPException, ValueError):
        return None  # the daemon is slow
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        raise Unusable(health["error"])
    return daemon if answer.status == HTTPStatus.OK else None


def _daemon(facts: Any) -> Daemon:
    """Raises Unusable."""
    try:
        return Daemon(
            pid=facts["pid"],
            control=facts["control"],
            token=facts["token"],
            aws=facts["aws"],
            firestore=facts["firestore"],
            momento=facts["momento"],
            momento_api_key=facts["momentoApiKey"],
            firestore_kind=facts["firestoreKind"],
            issuer=facts["issuer"],
            google=facts["google"],
        )
    except (KeyError, TypeError):
        raise Unusable("the laptop's clouds are from another version of this project") from None


@contextmanager
def starting(home: Home) -> Generator[None]:
    """Starts the clouds in the background; `wait_until_started` waits for them. An exception in the block kills them.

    They run in a new session, so that Ctrl-C does not end them.
    """
    with locks.taken(home.daemon_lock) as lock:
        if not lock:
            raise LocalError(f"another daemon of the laptop's clouds has started in {home.path}: try again")
        home.forget()
        with home.log.open("a") as log:
            process = subprocess.Popen(
                [APP_PYTHON, "-m", "local.cloud.daemon", "--home", home.path, "--lock", str(lock.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[lock.fileno()],
            )
        print(process.pid, file=lock)
    try:
        yield
    except BaseException:
        process.kill()
        process.wait()
        raise


def wait_until_started(home: Home) -> Daemon:
    """The daemon that `starting` has started. Raises LocalError if it ends or does not answer in time."""
    daemon = running(home)
    if not daemon:
        last_line = (home.log.read_text().strip().splitlines() or ["no output"])[-1]
        raise LocalError(f"the laptop's clouds did not start: {last_line} (see {home.log})")
    say_aside(f"clouds started: process {daemon.pid}, Firestore {daemon.firestore_kind}")
    return daemon


def stop(home: Home) -> None:
    """Stops the daemon; returns when it and its children have ended. Raises LocalError if they do not end."""
    if not locks.is_held(home.daemon_lock):
        return
    locks.signal_holders(home.daemon_lock, SIGTERM)
    if not locks.wait_until_free(home.daemon_lock, STOPS_WITHIN):
        say_aside(f"the laptop's clouds have not stopped within {STOPS_WITHIN} s: killing them")
        home.kill_holders(home.daemon_lock)
