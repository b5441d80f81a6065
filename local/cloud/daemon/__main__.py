"""The laptop's two clouds, in one process: `app/.venv/bin/python -m local.cloud.daemon --home DIR`.

It runs moto's AWS server, HTTP APIs and Lambda, Google Cloud's control plane and Cloud Run, Firestore, Momento, an
issuer of tokens, and the control API. When all but Google's Firestore emulator are ready, it writes their addresses to
DIR/daemon.json. SIGTERM, SIGINT and SIGHUP end it, and nothing outlives it.
"""

import argparse
import asyncio
import fcntl
import json
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

from local.cloud.common.unpack import remove

FACTS, UNFINISHED = "daemon.json", "daemon.unfinished"

type Clouds = AbstractAsyncContextManager[dict[str, str | int]]


def main() -> None:
    os.umask(0o077)  # only the owner may read logs, code and daemon.json
    parser = argparse.ArgumentParser(prog="local.cloud.daemon", description="the laptop's two clouds")
    parser.add_argument("--home", type=Path, required=True, help="the folder for the lock, daemon.json and logs")
    parser.add_argument("--lock", type=int, metavar="FD", help="daemon.lock, opened and locked by the parent process")
    arguments = parser.parse_args()
    home: Path = arguments.home.resolve()
    try:
        if os.getsid(0) != os.getpid():
            os.setsid()  # the reaper finds the children by their session
        home.mkdir(parents=True, exist_ok=True)
        lock = _locked(home, arguments.lock)
        _tidy(home)
        from local.cloud.daemon.clouds import clouds  # late, since it takes a second: a useless home is refused before

        asyncio.run(_run(home, lock, clouds(home, lock)))
    except OSError as error:
        sys.exit(f"the laptop's clouds cannot run in {home}: {error}")


def _locked(home: Path, inherited: int | None) -> int:
    """Locks daemon.lock, which reserves the home, and writes this process into it; returns its descriptor.

    Exits with one line if another daemon holds the lock.
    """
    lock = os.open(home / "daemon.lock", os.O_RDWR | os.O_CREAT, 0o600) if inherited is None else inherited
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another daemon of the laptop's clouds is running in {home}: stop it with `make down`")
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def _tidy(home: Path) -> None:
    """Removes what an earlier daemon left in the home, and makes room for the logs."""
    for name in (FACTS, UNFINISHED):
        (home / name).unlink(missing_ok=True)
    remove(home / "run")
    (home / "logs").mkdir(exist_ok=True)


async def _run(home: Path, lock: int, clouds: Clouds) -> None:
    """Starts and serves the clouds until a signal arrives or the home is gone."""
    serving = asyncio.create_task(_serve(home, clouds))
    lost = asyncio.create_task(_lost(home / "daemon.lock", lock))
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    ending = asyncio.create_task(end.wait())
    await asyncio.wait({serving, ending, lost}, return_when=asyncio.FIRST_COMPLETED)
    for task in (ending, lost, serving):
        task.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def _lost(path: Path, lock: int) -> None:
    """Returns when the lock's file was deleted or replaced, since commands cannot find this daemon then."""
    with suppress(FileNotFoundError):
        while os.path.samestat(path.stat(), os.fstat(lock)):
            await asyncio.sleep(1)


async def _serve(home: Path, clouds: Clouds) -> None:
    async with clouds as facts:
        (home / UNFINISHED).write_text(json.dumps(facts, indent=2) + "\n")
        (home / UNFINISHED).rename(home / FACTS)
        try:
            await asyncio.Event().wait()
        finally:
            (home / FACTS).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
