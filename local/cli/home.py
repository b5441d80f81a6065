"""Where the laptop's clouds live: one folder that holds their daemon, the engine's state and the logs.

Who is at work in it is asked of three locks: the command that runs holds command.lock, the engines and their plugins
engine.lock, the daemon and what ends its children daemon.lock.
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from signal import SIGKILL

from local.cli import locks
from local.cli.tools import say

ROOT = Path(__file__).resolve().parents[2]
APP_PYTHON = ROOT / "app" / ".venv" / "bin" / "python"
ENGINES_END_WITHIN = 60  # seconds
KILLED_WITHIN = 10  # seconds


class LocalError(Exception):
    """Something that the person at the keyboard can mend; the message is one line and says how."""


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

    @cached_property
    def logs(self) -> Path:
        return self.path / "logs"

    @cached_property
    def temporary(self) -> Path:
        """The folder for temporary files of all that is at work here, since a process that is killed leaves them."""
        return self.path / "tmp"

    @cached_property
    def facts(self) -> Path:
        """What the daemon says about itself."""
        return self.path / "daemon.json"

    @cached_property
    def daemon_lock(self) -> Path:
        return self.path / "daemon.lock"

    @cached_property
    def engine_lock(self) -> Path:
        return self.path / "engine.lock"

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """Holds the home for one command, after the engines of a command that was killed have ended.

        Raises LocalError at once if another command has it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        with locks.taken(self.path / "command.lock") as lock:
            if not lock:
                raise LocalError(f"another `make up` or `make down` is at work in {self.path}: wait for it")
            self._await_engines()
            self._tidy()
            self.temporary.mkdir(exist_ok=True)
            yield
            if not locks.is_held(self.daemon_lock):
                shutil.rmtree(self.temporary)

    def _await_engines(self) -> None:
        if not locks.is_held(self.engine_lock):
            return
        say("waiting for the engine of an earlier run to end ...")
        if not locks.wait_until_free(self.engine_lock, ENGINES_END_WITHIN):
            say(f"it has not ended within {ENGINES_END_WITHIN} s: killing it")
            self.kill_holders(self.engine_lock)

    def kill_holders(self, lock: Path) -> None:
        """Raises LocalError if that does not free the lock."""
        locks.signal_holders(lock, SIGKILL)
        if not locks.wait_until_free(lock, KILLED_WITHIN):
            raise LocalError(f"{lock} is still held: end the processes that `fuser {lock}` names")

    def _tidy(self) -> None:
        """Removes what engines left behind that were killed, stack locks and files that are cut off, and their logs."""
        for folder in (self.state / ".pulumi" / "locks", self.pulumi_home / "workspaces", self.pulumi_home / "logs"):
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def changing(self, stack: str) -> Generator[Path]:
        """While the engine changes the stack, which is `unfinished` if that fails or is cut off. Yields its mark."""
        mark = self._unfinished / stack
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        yield mark
        mark.unlink()

    def unfinished(self) -> dict[str, str]:
        """The stacks, and what is in their marks."""
        return {mark.name: mark.read_text() for mark in self._unfinished.glob("*")}

    @cached_property
    def _unfinished(self) -> Path:
        return self.path / "unfinished"

    def forget(self) -> None:
        """Removes what only made sense with clouds that are gone; the logs of the last run go with it."""
        for folder in (self.state, self.workspace, self._unfinished, self.path / "run", self.logs):
            if folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                folder.unlink(missing_ok=True)
        for file in (self.log, self.facts):
            file.unlink(missing_ok=True)
        self._tidy()
