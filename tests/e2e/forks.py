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


def run(*arguments: str, checkout: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs `python -m local` in the checkout, this one or a copy."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as error:
        files = DupFd(output.fileno()), DupFd(error.fileno())
        fork = FORKS.Process(target=_become, args=(arguments, checkout, dict(env), files))
        fork.start()
        fork.join()
        for file in (output, error):
            file.seek(0)
        assert fork.exitcode is not None
        return subprocess.CompletedProcess(arguments, fork.exitcode, output.read(), error.read())


def _become(arguments: tuple[str, ...], checkout: Path, env: dict[str, str], files: tuple[Any, Any]) -> None:
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
