"""The archives' bytes depend on no zlib, and every reader accepts them."""

import hashlib
import tarfile
import zipfile
import zlib
from pathlib import Path
from unittest.mock import Mock

import deflate
import pytest

from stacks.archives import Entry, TarEnd, read_deflated, write_tar, write_zip

TREE = [
    Entry("app/__init__.py", b""),
    Entry("app/große datei.py", b"".join(b"value_%d = %d\n" % (n, n * n % 8191) for n in range(5000))),
    Entry("app/names/" + "long" * 30 + ".py", b"x = 1\n"),
    Entry("data.bin", b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256))),
]


def write(folder: Path) -> tuple[Path, Path]:
    archives = folder / "app.zip", folder / "app.tar.gz"
    write_zip(TREE, archives[0])
    write_tar(TREE[:3], archives[1], TarEnd.of(TREE[3:]))
    return archives


def test_the_bytes_are_those_of_the_pinned_compressor(tmp_path: Path) -> None:
    """A change here publishes a new version of every function and service: mention it in the changelog."""
    assert [hashlib.sha256(archive.read_bytes()).hexdigest() for archive in write(tmp_path)] == [
        "19836ac94b7aa8636c0e5046e4b4233bff7e9286fcc2582a48b956778247e481",
        "cfe50635572d78b49bfcd794e2a870c8aa0308ff4e4e40df585834e28517d262",
    ]


def test_the_interpreters_zlib_has_no_part_in_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for compressor in ("compress", "compressobj"):
        monkeypatch.setattr(zlib, compressor, Mock(side_effect=AssertionError("zlib compresses")))
    write(tmp_path)


def test_what_a_zip_holds_is_not_compressed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, part, again = (tmp_path / name for name in ("whole.zip", "part.zip", "again.zip"))
    write_zip(TREE, whole)
    write_zip(TREE[1:], part)
    compress = Mock(wraps=deflate.deflate_compress)
    monkeypatch.setattr(deflate, "deflate_compress", compress)
    write_zip(TREE[:1], again, read_deflated(part.read_bytes()))
    assert again.read_bytes() == whole.read_bytes()
    assert [call.args[0] for call in compress.call_args_list] == [TREE[0].content]


def test_the_standard_library_reads_them(tmp_path: Path) -> None:
    packed, tarball = write(tmp_path)
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None
        assert [Entry(info.filename, archive.read(info)) for info in archive.infolist()] == TREE
    with tarfile.open(tarball) as archive:
        assert [member.name for member in archive if member.isdir()] == ["app", "app/names"]
        files = [(member, archive.extractfile(member)) for member in archive if member.isfile()]
        assert [Entry(member.name, file.read()) for member, file in files if file] == TREE
