"""Engine plugins as processes: how they are installed, and that they end with the engine that started them."""

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import providers
from local.cli.engine import POLICY_PACK
from local.cli.home import ROOT

PLUGINS = ("aws", "gcp", "policy", "momento")
ENGINE = """
import signal, subprocess, sys
plugin = subprocess.Popen(sys.argv[1:], stdin=sys.stdin, stdout=subprocess.PIPE, text=True)
print(plugin.pid, flush=True)
print(plugin.stdout.readline() or sys.exit("the plugin has not started"), end="", flush=True)
signal.pause()
"""
AFTER_A_LINE = 'read go; exec "$0" "$@"'
PATIENCE = 60  # seconds


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("pulumi")
    providers.install(home)
    return home


def command(home: Path, plugin: str) -> list[str | Path]:
    if plugin == "momento":
        return [ROOT / "pulumi_momento" / "pulumi-resource-momento", "127.0.0.1:1"]
    if plugin == "policy":
        return [POLICY_PACK, "127.0.0.1:1"]
    [script] = home.glob(f"plugins/*/pulumi-*-{plugin}")
    return [script, "127.0.0.1:1"]


@contextmanager
def engine(command: list[str | Path]) -> Generator[tuple[subprocess.Popen[str], int]]:
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
def test_a_plugin_ends_with_a_killed_engine(home: Path, plugin: str) -> None:
    with engine(command(home, plugin)) as (process, ended):
        assert process.stdout
        assert int(process.stdout.readline()) > 0
        process.kill()
        assert has_ended(ended)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_ends_that_was_orphaned_before_it_began(home: Path, plugin: str) -> None:
    with engine(["/bin/sh", "-c", AFTER_A_LINE, *command(home, plugin)]) as (process, ended):
        assert process.stdin
        process.kill()
        process.wait()
        process.stdin.write("go\n")
        process.stdin.flush()
        assert has_ended(ended)


def test_a_checkout_may_lie_at_any_path(tmp_path: Path) -> None:
    checkout = tmp_path / """it's "$HOME" `id`"""
    for folder in ("local", "policy"):
        shutil.copytree(ROOT / folder, checkout / folder, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    for environment in (".venv", "policy/.venv"):
        (checkout / environment).symlink_to(ROOT / environment)
    install = "import sys, pathlib; from local import providers; providers.install(pathlib.Path(sys.argv[1]))"
    home = checkout / "pulumi"
    subprocess.run([checkout / ".venv/bin/python", "-c", install, home], cwd=checkout, check=True)
    for started in (command(home, "aws"), [checkout / "policy" / "start", "127.0.0.1:1"]):
        with engine(started) as (process, _):
            assert process.stdout
            assert int(process.stdout.readline()) > 0


def test_a_script_is_written_whole_or_not_at_all_and_for_its_owner(tmp_path: Path) -> None:
    script = tmp_path / "plugin"
    providers.write_script(script, "old")
    with script.open() as running:
        providers.write_script(script, "new")
        assert (running.read(), script.read_text()) == ("old", "new")
    with pytest.raises(UnicodeEncodeError):
        providers.write_script(script, "cut off \udcff")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("plugin", "new")]
    assert script.stat().st_mode & 0o777 == 0o700
