"""Ctrl-C while a command imports its modules ends it without a traceback."""

import subprocess
import sys
from signal import SIGINT

import pytest

from local.cli.home import ROOT

INTERRUPTED = """
import os, runpy, signal, sys

class CtrlC:
    def find_spec(self, name, *_):
        if name == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
runpy.run_module(sys.argv[1], run_name="__main__")
"""


@pytest.mark.parametrize(("command", "imported"), [("local", "local.cli.main"), ("local.cli.tools", "semver")])
def test_ctrl_c(command: str, imported: str) -> None:
    interrupted = [sys.executable, "-c", INTERRUPTED, command, imported]
    ended = subprocess.run(interrupted, cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-SIGINT, "", "")
