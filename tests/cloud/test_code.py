"""An archive of code is unpacked once, and stays while something uses it."""

import asyncio
import errno
import os
import threading
import time
import zipfile
from itertools import count
from pathlib import Path

import pytest

from local.cloud.common import code as module
from local.cloud.common.code import CodeFolder
from tests.cloud.test_unpack import archive


async def use(folder: Path, *names: str) -> list[Path]:
    """The folders of archives that were used in this order, each by another daemon."""
    used: list[Path] = []
    for name in names:
        async with CodeFolder(folder).using(archive(name)) as code:
            assert (code / "app.py").read_text() == name
            used.append(code)
    return used


def test_many_at_a_time_unpack_it_once(tmp_path: Path) -> None:
    async def use_many() -> list[list[Path]]:
        return await asyncio.gather(*(use(tmp_path, "new") for _ in range(8)))

    [[code]] = {tuple(used) for used in asyncio.run(use_many())}
    made = (code / "app.py").stat().st_ino
    assert asyncio.run(use(tmp_path, "new")) == [code]
    assert set(tmp_path.glob("*/")) == {code}
    assert (code / "app.py").stat().st_ino == made


def test_what_is_unpacked_does_not_wait_for_another_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def is_zipfile(_: object) -> bool:
        begun.set()
        return go_on.wait(60)

    async def use_both() -> None:
        await use(tmp_path, "old")
        monkeypatch.setattr(zipfile, "is_zipfile", is_zipfile)
        slow = asyncio.create_task(use(tmp_path, "new"))
        try:
            assert await asyncio.to_thread(begun.wait, 30)
            async with asyncio.timeout(30):
                await use(tmp_path, "old")
            assert not slow.done()
        finally:
            go_on.set()
        await slow

    asyncio.run(use_both())


def test_what_was_used_last_is_kept_and_what_is_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each use ends a second after the one before, whatever the resolution of the file system's clock is."""
    utime, ends = os.utime, count(time.time_ns() + 10**9, 10**9)

    def end(file: int) -> None:
        utime(file, ns=(0, next(ends)))

    monkeypatch.setattr(module.os, "utime", end)
    monkeypatch.setattr(module, "KEPT", 2)

    async def use_more_than_is_kept() -> None:
        async with CodeFolder(tmp_path).using(archive("in use")) as code, CodeFolder(tmp_path).using(archive("in use")):
            first, _, _, third = await use(tmp_path, "1", "2", "1", "3")
            [last] = await use(tmp_path, "4")
            assert set(tmp_path.glob("*/")) == {code, first, third, last}
            assert (code / "app.py").read_text() == "in use"
        await use(tmp_path, "5", "6", "7")
        assert not code.exists()

    asyncio.run(use_more_than_is_kept())


def test_an_unpack_that_fails_leaves_the_space_of_what_is_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full")

    (tmp_path / "killed.unfinished").mkdir()
    monkeypatch.setattr(module, "unpack", full)
    with pytest.raises(OSError, match=r"^/full: No space left on device: free it, or set XDG_CACHE_HOME$"):
        asyncio.run(use(tmp_path, "a"))
    assert list(tmp_path.glob("*/")) == []


def test_what_is_unpacked_can_be_used_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    used = asyncio.run(use(tmp_path, "a"))
    monkeypatch.setattr(module.os, "utime", read_only)
    assert asyncio.run(use(tmp_path, "a")) == used


def test_what_was_removed_meanwhile_is_unpacked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        Path(f"/proc/self/fd/{descriptor}").readlink().rename(tmp_path / "gone.unfinished")

    asyncio.run(use(tmp_path, "a"))
    monkeypatch.setattr(module.fcntl, "flock", flock)
    [code] = asyncio.run(use(tmp_path, "a"))
    assert set(tmp_path.glob("*/")) == {code}


def test_nothing_of_an_earlier_boot_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [old] = asyncio.run(use(tmp_path / "code", "a"))
    (old / "app.py").chmod(0o600)
    os.truncate(old / "app.py", 0)
    (tmp_path / "boot_id").write_text("another\n")
    monkeypatch.setattr(module, "BOOT_ID", tmp_path / "boot_id")
    [new] = asyncio.run(use(tmp_path / "code", "a"))
    assert new != old
