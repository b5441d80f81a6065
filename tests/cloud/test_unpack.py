"""Archives of code are unpacked whole, and to their folder alone."""

import gzip
import io
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.cloud.common.unpack import remove, unpack


def zipped(files: Mapping[str, str]) -> bytes:
    """The same bytes for the same files, whatever the time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def archive(content: str) -> bytes:
    return zipped({"app.py": content})


@pytest.mark.parametrize(
    "content",
    [b"text", gzip.compress(b"text"), gzip.compress(b"text" * 200)[:-9], archive("text").replace(b"text", b"test", 1)],
)
def test_what_is_no_archive_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"neither a zip nor a tar\.gz"):
        unpack(content, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def tar(*members: tarfile.TarInfo) -> bytes:
    """Each file contains "x"."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for member in members:
            member.size = 1 if member.isreg() else 0
            file.addfile(member, io.BytesIO(b"x") if member.isreg() else None)
    return buffer.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def folder(name: str, mode: int = 0o755) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, mode
    return member


def test_modes_and_owners_of_a_tar_do_not_matter(tmp_path: Path) -> None:
    file = tarfile.TarInfo("closed/a")
    file.mode, file.uid, file.gid = 0o4444, 12345, 12345
    unpacked = unpack(tar(folder("closed", 0o000), file, file), tmp_path / "new") / "closed" / "a"
    assert unpacked.read_text() == "x"
    assert (unpacked.stat().st_mode & 0o7777, unpacked.stat().st_uid) == (0o400, os.getuid())


def test_a_tar_may_have_links_to_what_it_contains(tmp_path: Path) -> None:
    code = unpack(tar(tarfile.TarInfo("a/b"), link("c", "a/b"), link("d", "a/b", tarfile.LNKTYPE)), tmp_path / "new")
    assert [(code / name).read_text() for name in ("a/b", "c", "d")] == ["x", "x", "x"]


def test_files_that_stay_the_same_are_links(tmp_path: Path) -> None:
    """Whatever becomes of the older archive, and of what it has instead of a file."""
    old = unpack(
        tar(*map(tarfile.TarInfo, ("same", "folder/same", "changed")), link("link", "changed")), tmp_path / "old"
    )
    files = dict.fromkeys(("same", "folder/same", "link", "new"), "x") | {"changed": "y"}
    new = unpack(zipped(files), tmp_path / "new", like=old)
    assert [(new / name).samefile(old / name) for name in ("same", "folder/same", "changed")] == [True, True, False]
    remove(old)
    assert {name: (new / name).read_text() for name in files} == files


def test_a_tar_may_have_holes(tmp_path: Path) -> None:
    (tmp_path / "holes").write_bytes(b"")
    os.truncate(tmp_path / "holes", 2**20)
    made = subprocess.run(["tar", "-cz", "--sparse", "-C", tmp_path, "holes"], check=True, stdout=subprocess.PIPE)
    assert (unpack(made.stdout, tmp_path / "code") / "holes").read_bytes() == bytes(2**20)


@pytest.mark.parametrize(
    "members",
    [
        [tarfile.TarInfo("../out")],
        [tarfile.TarInfo("a/../../out")],
        [link("a", ".."), tarfile.TarInfo("a/out")],
        [link("a", "../.."), tarfile.TarInfo("a/out")],
        [link("a", "../out", tarfile.LNKTYPE)],
        [folder("d"), link("d/up", ".."), link("h", "d/up", tarfile.LNKTYPE), tarfile.TarInfo("h/out")],
    ],
    ids=["parent", "below", "symbolic link", "longer link", "hard link", "hard link to a symbolic one"],
)
def test_a_tar_writes_nothing_outside_its_folder(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    code = tmp_path / "run" / "code"
    code.mkdir(parents=True)
    (code / "out").write_text("")
    with pytest.raises(ValueError, match="outside"):
        unpack(tar(*members), code / "new")
    assert [path.name for path in tmp_path.rglob("out")] == ["out"]
    assert (code / "out").read_text() == ""
