"""Unpacked code, in the user's cache folder: an archive is unpacked once, for all daemons that run it."""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

from local.cloud.common.cache import CACHE
from local.cloud.common.unpack import UNFINISHED, remove, unpack

KEPT = 16
"""So many of the folders that were used last stay. Most of their files are links to the same ones."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class CodeFolder:
    """Has a folder for each archive, which is locked (flock(2)) while it is in use."""

    def __init__(self, folder: Path = CACHE / "code") -> None:
        self._folder = folder

    @asynccontextmanager
    async def using(self, archive: bytes) -> AsyncGenerator[Path]:
        """The folder of an archive, which stays as long as the context.

        Raises ValueError if the archive is no zip or tar.gz, and OSError.
        """
        code = self._folder / await asyncio.to_thread(_name, archive)
        while (lock := _lock(code)) is None:
            await asyncio.to_thread(self._unpack, archive, code)
        try:
            yield code
        finally:
            with suppress(OSError):
                os.utime(lock)
            os.close(lock)

    def _unpack(self, archive: bytes, code: Path) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                folders = set(self._folder.glob("*/"))
                kept = sorted((folder for folder in folders if not folder.suffix), key=os.path.getmtime)[-KEPT:]
                for unused in folders - {*kept, code}:
                    _remove(unused)
                unpack(archive, code, kept[-1] if kept else None)
        except OSError as error:
            what = f"{error.filename or self._folder}: {error.strerror or error}"
            raise OSError(f"{what}: free it, or set XDG_CACHE_HOME") from error


def _name(archive: bytes) -> str:
    """The folder's name, another one after each boot, since a power cut may leave files empty."""
    digest = hashlib.sha256(BOOT_ID.read_bytes())
    digest.update(archive)
    return digest.hexdigest()


def _lock(folder: Path) -> int | None:
    """A descriptor that keeps the folder in use, or None if it is not there or is being removed."""
    with suppress(FileNotFoundError, BlockingIOError), ExitStack() as opened:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        opened.callback(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), folder.stat()):
            opened.pop_all()
            return lock
    return None


def _remove(folder: Path) -> None:
    """Removes the folder unless it is in use. Its name goes first, since what is left of it must not be used."""
    with suppress(OSError), ExitStack() as opened:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        opened.callback(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(folder.rename(folder.with_suffix(UNFINISHED)))
