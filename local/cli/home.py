"""The home of the laptop's clouds: one folder for their daemon's files, the engine's state and the logs.

Three locks show which processes use it: the running command holds command.lock, the engines and their plugins hold
engine.lock, the daemon and its reaper hold daemon.lock.
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from signal import SIGKILL

from local.cli import locks
from ops.terminal import say_aside

ROOT = Path(__file__).resolve().parents[2]
APP_PYTHON = ROOT / "app" / ".venv" / "bin" / "python"
ENGINES_END_WITHIN = 60  # seconds
KILLED_WITHIN = 10  # seconds


class LocalError(Exception):
    """An error that the user can fix. The message is one line and says how."""


@dataclass(frozen=True)
class Home:
    path: Path

    @cached_property
    def workspace(self) -> Path:
        """The engine's project folder: the checkout's Pulumi.yaml and the laptop's copies of the stack files."""
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
        """The folder for all processes' temporary files, which remain if a process is killed."""
        return self.path / "tmp"

    @cached_property
    def facts(self) -> Path:
        """The daemon's addresses and keys."""
        return self.path / "daemon.json"

    @cached_property
    def daemon_lock(self) -> Path:
        return self.path / "daemon.lock"

    @cached_property
    def engine_lock(self) -> Path:
        return self.path / "engine.lock"

    @cached_property
    def _command_lock(self) -> Path:
        return self.path / "command.lock"

    @contextmanager
    def exclusive(self, *, wait: bool = False) -> Generator[None]:
        """Locks the home for one command, and waits for the engines of an earlier command that was killed.

        If another command holds the lock, waits for it, or raises LocalError. Also raises LocalError if the folder
        holds something and was never locked, since commands delete what the home has.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if not self._command_lock.exists() and any(self.path.iterdir()):
            raise LocalError(f"{self.path} is no home of the laptop's clouds: name an empty or a new folder")
        self.path.chmod(0o700)
        with locks.taken(self._command_lock, wait=wait) as lock:
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
        say_aside("waiting for the engine of an earlier run to end ...")
        if not locks.wait_until_free(self.engine_lock, ENGINES_END_WITHIN):
            say_aside(f"it has not ended within {ENGINES_END_WITHIN} s: killing it")
            self.kill_holders(self.engine_lock)

    def kill_holders(self, lock: Path) -> None:
        """Kills the processes that hold the lock. Raises LocalError if they still hold it then."""
        locks.signal_holders(lock, SIGKILL)
        if not locks.wait_until_free(lock, KILLED_WITHIN):
            raise LocalError(f"{lock} is still held: end the processes that `fuser {lock}` names")

    def _tidy(self) -> None:
        """Removes the engines' logs, and the stack locks and partial files that killed engines left behind."""
        for folder in (self.state / ".pulumi" / "locks", self.pulumi_home / "workspaces", self.pulumi_home / "logs"):
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def changing(self, stack: str) -> Generator[Path]:
        """Marks the stack as `unfinished`, unless the block succeeds. Yields the mark, a file."""
        mark = self._unfinished / stack
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        yield mark
        mark.unlink()

    def unfinished(self) -> dict[str, str]:
        """The content of the marks, by stack name."""
        return {mark.name: mark.read_text() for mark in self._unfinished.glob("*")}

    @cached_property
    def _unfinished(self) -> Path:
        return self.path / "unfinished"

    def forget(self) -> None:
        """Removes the state, the logs and everything else that belongs to clouds that are gone."""
        for folder in (self.state, self.workspace, self.pulumi_home, self._unfinished, self.path / "run", self.logs):
            if folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                folder.unlink(missing_ok=True)
        for file in (self.log, self.facts):
            file.unlink(missing_ok=True)
        self._tidy()
