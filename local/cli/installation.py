"""Installs what no Python package provides into the user's cache folder."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from local.cloud.common.cache import CACHE
from ops.terminal import say_aside


class ToolMissing(Exception):
    """A tool is missing. The message names it and says how to install it."""


def install(name: str, what: str, make: Callable[[Path], None]) -> Path:
    """Makes a tool of the cache once and atomically: `make` gets a folder and leaves it there as `result`."""
    target = CACHE / name
    if target.exists():
        return target
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if target.exists():
                return target
            for left_over in CACHE.glob("unfinished-*/"):
                shutil.rmtree(left_over)
            with tempfile.TemporaryDirectory(prefix="unfinished-", dir=CACHE, ignore_cleanup_errors=True) as scratch:
                with_progress(what, lambda: make(Path(scratch)))
                Path(scratch, "result").rename(target)
    except OSError as error:
        raise ToolMissing(f"{error.filename or CACHE}: {error.strerror}: free it, or set XDG_CACHE_HOME") from None
    return target


def require(command: str, how: str) -> None:
    if not shutil.which(command):
        raise ToolMissing(f"{command} is missing: install {how}")


def run(command: list[str | Path], cwd: Path, env: dict[str, str] | None = None) -> None:
    result = subprocess.run(
        command, cwd=cwd, env=os.environ | (env or {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode:
        last_line = (result.stdout.strip().splitlines() or ["no output"])[-1]
        raise ToolMissing(f"{' '.join(map(str, command[:2]))} failed: {last_line}")


def with_progress(what: str, work: Callable[[], None]) -> None:
    """Does the work, and prints its duration every 15 seconds."""
    say_aside(f"{what} ...")
    started = time.monotonic()
    done = threading.Event()

    def heartbeat() -> None:
        while not done.wait(15):
            say_aside(f"  {what}: {time.monotonic() - started:.0f} s")

    threading.Thread(target=heartbeat, daemon=True).start()
    try:
        work()
    finally:
        done.set()
    say_aside(f"{what}: done in {time.monotonic() - started:.0f} s")
