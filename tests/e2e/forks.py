"""Runs commands as forks of a process that has imported Pulumi and the SDKs, which takes each more than a second."""

import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

ROOT = Path(__file__).resolve().parents[2]
OURS = {"local", "ops", "pulumi_momento", "stacks"}

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.e2e.preloaded"])


class Fork:
    """Runs `python -m local` in the checkout, this one or a copy, in a process group of its own."""

    def __init__(self, *arguments: str, checkout: Path, env: Mapping[str, str]) -> None:
        self._arguments = arguments
        self._files = [NamedTemporaryFile("r") for _ in range(2)]  # noqa: SIM115, `end` closes them
        names = [file.name for file in self._files]
        # A daemon, since this process would wait for any other at its exit.
        self._process = FORKS.Process(target=_become, args=(arguments, checkout, dict(env), names), daemon=True)
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def wait(self, seconds: float) -> bool:
        """Returns whether it has ended within that time."""
        self._process.join(seconds)
        return self._process.exitcode is not None

    def end(self) -> subprocess.CompletedProcess[str]:
        """Waits for its end. Returns its exit code and what it printed."""
        try:
            self._process.join()
        except BaseException:  # such as Ctrl-C
            self._process.kill()
            raise
        assert self._process.exitcode is not None
        said: list[str] = []
        for file in self._files:
            with file:
                said.append(file.read())
        return subprocess.CompletedProcess(self._arguments, self._process.exitcode, *said)


def _become(arguments: tuple[str, ...], checkout: Path, env: dict[str, str], files: list[str]) -> None:
    os.setsid()
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), number)
    if checkout != ROOT:
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
            del sys.modules[name]
    os.chdir(checkout)
    sys.path.insert(0, str(checkout))
    os.environ.clear()
    os.environ.update(env)
    sys.argv[1:] = arguments
    runpy.run_module("local", run_name="__main__", alter_sys=True)
