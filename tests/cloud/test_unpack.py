"""Archives of code are unpacked once, and what is unpacked is there for everybody at once."""

import io
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.cloud.common.unpack import unpack


def archive(content: str) -> bytes:
    """The same bytes for the same content, whatever the time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(zipfile.ZipInfo("app.py"), content)
    return buffer.getvalue()


def test_what_is_unpacked_does_not_wait_for_another_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = unpack(archive("old"), tmp_path)
    begun, go_on = threading.Event(), threading.Event()

    def is_zipfile(_: object) -> bool:
        begun.set()
        return go_on.wait(60)

    monkeypatch.setattr(zipfile, "is_zipfile", is_zipfile)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(unpack, archive("new"), tmp_path)
        try:
            assert begun.wait(30)
            assert pool.submit(unpack, archive("old"), tmp_path).result(30) == ready
            assert not slow.done()
        finally:
            go_on.set()
        assert (slow.result() / "app.py").read_text() == "new"


def test_two_at_a_time_unpack_it_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        [folder] = set(pool.map(unpack, [archive("new")] * 8, [tmp_path] * 8))
    assert list(tmp_path.iterdir()) == [folder]
    assert (folder / "app.py").stat().st_mode & 0o777 == 0o400


def test_what_is_no_archive_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"neither a zip nor a tar\.gz"):
        unpack(b"text", tmp_path)
    assert list(tmp_path.iterdir()) == []
