"""Where the laptop's clouds live: one folder that holds their daemon, the engine's state and the logs."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
APP_PYTHON = ROOT / "app" / ".venv" / "bin" / "python"
DAEMON_STARTS_WITHIN = 60  # seconds


class LocalError(Exception):
    """Something that the person at the keyboard can mend; the message is one line and says how."""


@dataclass(frozen=True)
class Daemon:
    """The running clouds, as their daemon wrote them down in daemon.json."""

    pid: int
    control: str
    momento: str
    momento_api_key: str
    firestore_kind: str
    issuer: str


@dataclass(frozen=True)
class Home:
    path: Path

    @cached_property
    def workspace(self) -> Path:
        """The engine's project folder: the checkout's Pulumi.yaml with the laptop's own copy of the stack files."""
        return self.path / "workspace"

    @cached_property
    def pulumi_home(self) -> Path:
        return self.path / "pulumi"

    @cached_property
    def state(self) -> Path:
        return self.path / "state"

    @cached_property
    def log(self) -> Path:
        return self.path / "daemon.log"

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """Holds the home for one command. Raises LocalError at once if another command has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "command.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LocalError(f"another `make up` or `make down` is at work in {self.path}: wait for it") from None
            yield

    def daemon(self) -> Daemon | None:
        """The daemon if it is alive and answers, else None."""
        try:
            facts = json.loads((self.path / "daemon.json").read_text())
            with urllib.request.urlopen(facts["control"] + "/health", timeout=5):
                pass
        except (FileNotFoundError, urllib.error.URLError, OSError):
            return None
        return Daemon(
            pid=facts["pid"],
            control=facts["control"],
            momento=facts["momento"],
            momento_api_key=facts["momentoApiKey"],
            firestore_kind=facts["firestoreKind"],
            issuer=facts["issuer"],
        )

    def start_daemon(self) -> Daemon:
        """Starts the clouds, in a session of their own so that Ctrl-C spares them, and waits until they answer."""
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [APP_PYTHON, "-m", "local.cloud.daemon", "--home", self.path],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + DAEMON_STARTS_WITHIN
        while process.poll() is None and time.monotonic() < deadline:
            if daemon := self.daemon():
                return daemon
            time.sleep(0.05)
        process.kill()
        last_line = (self.log.read_text().strip().splitlines() or ["it said nothing"])[-1]
        raise LocalError(f"the laptop's clouds did not start: {last_line} (all of it: {self.log})")

    def forget(self) -> None:
        """Removes what only made sense with the clouds that are gone; the logs of the last run go with it."""
        for name in ("state", "workspace", "run", "logs"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def stop_daemon(self, daemon: Daemon) -> None:
        """Ends the daemon and waits until the process is gone."""
        while True:
            try:
                os.kill(daemon.pid, signal.SIGTERM)
            except ProcessLookupError:
                return
            time.sleep(0.05)
