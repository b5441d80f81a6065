"""Commands as forks of a process that has imported Pulumi and the SDKs, which takes each command a second or more."""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.reduction import DupFd
from typing import Any

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["local.cli.main", "stacks.aws", "stacks.gcp"])


def run(module: str, *arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a module of this checkout as `python -m` does, in the current folder."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as error:
        files = DupFd(output.fileno()), DupFd(error.fileno())
        fork = FORKS.Process(target=_become, args=(module, arguments, dict(env), files))
        fork.start()
        fork.join()
        for file in (output, error):
            file.seek(0)
        assert fork.exitcode is not None
        return subprocess.CompletedProcess([module, *arguments], fork.exitcode, output.read(), error.read())


def _become(module: str, arguments: tuple[str, ...], env: dict[str, str], files: tuple[Any, Any]) -> None:
    for number, file in enumerate(files, start=1):
        os.dup2(file.detach(), number)
    os.environ.clear()
    os.environ.update(env)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)
