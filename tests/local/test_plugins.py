"""Engine plugins as processes: they end with the engine that started them."""

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.cli.engine import POLICY_PACK
from local.cli.home import ROOT

PLUGINS = {
    "policy": [POLICY_PACK, "127.0.0.1:1"],
    "momento": [ROOT / "pulumi_momento" / "pulumi-resource-momento", "127.0.0.1:1"],
}
ENGINE = """
import signal, subprocess, sys
plugin = subprocess.Popen(sys.argv[1:], stdin=sys.stdin, stdout=subprocess.PIPE, text=True)
print(plugin.pid, flush=True)
print(plugin.stdout.readline() or sys.exit("the plugin has not started"), end="", flush=True)
signal.pause()
"""
AFTER_A_LINE = 'read go; exec "$0" "$@"'
PATIENCE = 60  # seconds


@contextmanager
def engine(command: Sequence[str | Path]) -> Generator[tuple[subprocess.Popen[str], int]]:
    """A process that starts a plugin and prints its port, and a pidfd of the plugin."""
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        plugin = int(process.stdout.readline())
        ended = os.pidfd_open(plugin)
        try:
            yield process, ended
        finally:
            if not has_ended(ended, within=0):
                signal.pidfd_send_signal(ended, signal.SIGKILL)
            os.close(ended)
            process.kill()


def has_ended(pidfd: int, within: float = PATIENCE) -> bool:
    return bool(select.select([pidfd], [], [], within)[0])


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_ends_with_a_killed_engine(plugin: str) -> None:
    with engine(PLUGINS[plugin]) as (process, ended):
        assert process.stdout
        assert int(process.stdout.readline()) > 0
        process.kill()
        assert has_ended(ended)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_ends_that_was_orphaned_before_it_began(plugin: str) -> None:
    with engine(["/bin/sh", "-c", AFTER_A_LINE, *PLUGINS[plugin]]) as (process, ended):
        assert process.stdin
        process.kill()
        process.wait()
        process.stdin.write("go\n")
        process.stdin.flush()
        assert has_ended(ended)


def test_a_checkout_may_lie_at_any_path(tmp_path: Path) -> None:
    checkout = tmp_path / """it's "$HOME" `id`"""
    shutil.copytree(ROOT / "policy", checkout / "policy", ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    (checkout / "policy" / ".venv").symlink_to(ROOT / "policy" / ".venv")
    with engine([checkout / "policy" / "start", "127.0.0.1:1"]) as (process, _):
        assert process.stdout
        assert int(process.stdout.readline()) > 0
