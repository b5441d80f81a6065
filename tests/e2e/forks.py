"""Commands as forks of a process that has imported Pulumi and the SDKs, which takes each command a second or more."""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = {"local", "ops", "pulumi_momento", "stacks"}

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["local.cli.main", "stacks.aws", "stacks.gcp"])


class Fork:
    """`python -m local` in the checkout, this one or a copy, in a process group of its own."""

    def __init__(self, *arguments: str, checkout: Path, env: Mapping[str, str]) -> None:
        self._arguments = arguments
        self._files = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115, `end` closes them
        files = [DupFd(file.fileno()) for file in self._files]
        self._process = FORKS.Process(target=_become, args=(arguments, checkout, dict(env), files))
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def wait(self, seconds: float) -> bool:
        """Whether it has ended."""
        self._process.join(seconds)
        return self._process.exitcode is not None

    def end(self) -> subprocess.CompletedProcess[str]:
        """What it was, after waiting for its end."""
        self._process.join()
        assert self._process.exitcode is not None
        said: list[str] = []
        for file in self._files:
            with file:
                file.seek(0)
                said.append(file.read())
        return subprocess.CompletedProcess(self._arguments, self._process.exitcode, *said)


def _become(arguments: tuple[str, ...], checkout: Path, env: dict[str, str], files: list[Any]) -> None:
    os.setsid()
    if checkout != ROOT:
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
            del sys.modules[name]
    os.chdir(checkout)
    sys.path.insert(0, str(checkout))
    for number, file in enumerate(files, start=1):
        os.dup2(file.detach(), number)
    os.environ.clear()
    os.environ.update(env)
    sys.argv[1:] = arguments
    runpy.run_module("local", run_name="__main__", alter_sys=True)
