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
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from local.tools import say

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

    @contextmanager
    def changing(self) -> Generator[None]:
        """While the engine changes the clouds. `change_is_unfinished` if it did not come to its end."""
        self._change.touch()
        yield
        self._change.unlink()

    @property
    def change_is_unfinished(self) -> bool:
        return self._change.exists()

    @cached_property
    def _change(self) -> Path:
        return self.path / "unfinished-change"

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

    @contextmanager
    def starting_daemon(self) -> Generator[Callable[[], Daemon]]:
        """Starts the clouds, in a session of their own so that Ctrl-C spares them; yields what waits for them.

        That raises LocalError if they do not answer in time. An interrupted command takes them away again.
        """
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [APP_PYTHON, "-m", "local.cloud.daemon", "--home", self.path],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield lambda: self._wait_for_daemon(process)
        except KeyboardInterrupt:
            process.kill()
            process.wait()
            raise

    def _wait_for_daemon(self, process: subprocess.Popen[bytes]) -> Daemon:
        deadline = time.monotonic() + DAEMON_STARTS_WITHIN
        while process.poll() is None and time.monotonic() < deadline:
            if daemon := self.daemon():
                say(f"clouds started: process {daemon.pid}, Firestore {daemon.firestore_kind}")
                return daemon
            time.sleep(0.05)
        process.kill()
        last_line = (self.log.read_text().strip().splitlines() or ["it said nothing"])[-1]
        raise LocalError(f"the laptop's clouds did not start: {last_line} (all of it: {self.log})")

    def forget(self) -> None:
        """Removes what only made sense with the clouds that are gone; the logs of the last run go with it."""
        for name in ("state", "workspace", "run", "logs"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for file in (self.log, self._change):
            file.unlink(missing_ok=True)

    def stop_daemon(self, daemon: Daemon) -> None:
        """Ends the daemon and waits until the process is gone."""
        while True:
            try:
                os.kill(daemon.pid, signal.SIGTERM)
            except ProcessLookupError:
                return
            time.sleep(0.05)
