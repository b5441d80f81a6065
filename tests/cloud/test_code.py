"""Unpacked code stays while something uses it, and no longer."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from local.cloud.common import code as code_folder
from local.cloud.common.code import CodeFolder
from tests.cloud.test_unpack import archive


def test_what_nothing_uses_or_keeps_is_removed(tmp_path: Path) -> None:
    async def use() -> None:
        code = CodeFolder(tmp_path)
        async with code.using(archive("used")) as used, code.using(archive("used")):
            async with code.using(archive("used")), code.using(archive("kept")), code.using(archive("unused")):
                pass
            code.tidy({hashlib.sha256(archive("kept")).hexdigest()})
            assert (used / "app.py").read_text() == "used"
            assert sorted(path.name for path in tmp_path.iterdir() if "." not in path.name) == sorted(
                hashlib.sha256(archive(name)).hexdigest() for name in ("used", "kept")
            )
        code.tidy()
        async with code.using(archive("used")) as used:
            assert (used / "app.py").read_text() == "used"
        code.tidy()

    asyncio.run(use())
    assert list(tmp_path.iterdir()) == []


def test_what_is_about_to_be_used_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use() -> None:
        async def tidy() -> None:
            code.tidy()

        def unpack(archive: bytes, target: Path, like: Path | None) -> Path:
            unpacked = code_folder_unpack(archive, target, like)
            asyncio.run_coroutine_threadsafe(tidy(), loop).result(30)
            return unpacked

        loop, code = asyncio.get_running_loop(), CodeFolder(tmp_path)
        async with code.using(archive("a")):
            pass
        monkeypatch.setattr(code_folder, "unpack", unpack)
        async with code.using(archive("a")) as used:
            assert (used / "app.py").read_text() == "a"

    code_folder_unpack = code_folder.unpack
    asyncio.run(use())
