"""One tree of files as a digest, a zip and a tar.gz: a function of the files' paths and contents alone."""

import gzip
import hashlib
import io
import stat
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# Nothing in the tree is a command, so no file needs to be executable and the builder's umask leaves no trace.
FILE_MODE = stat.S_IFREG | 0o644
DIRECTORY_MODE = 0o755
# The earliest moment that both formats can hold: 1980-01-01, in each format's own terms.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
TAR_TIME = 315_532_800


@dataclass(frozen=True)
class Entry:
    """A file of the artifact: its posix path below the root, and its content."""

    path: str
    content: bytes


def read_tree(tree: Path) -> list[Entry]:
    """All files below `tree`, sorted by path."""
    files = ((path.relative_to(tree).as_posix(), path) for path in tree.rglob("*") if path.is_file())
    return [Entry(name, path.read_bytes()) for name, path in sorted(files)]


def digest(entries: list[Entry]) -> str:
    """`sha256:<hex>` of the sorted list of (path, mode, content sha256)."""
    lines = (f"{e.path}\0{FILE_MODE:o}\0{hashlib.sha256(e.content).hexdigest()}\n" for e in entries)
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def write_zip(entries: list[Entry], target: Path) -> None:
    """The archive for Lambda."""
    with zipfile.ZipFile(target, "w") as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.path, ZIP_TIME)
            info.create_system = 3  # unix, wherever it is built
            info.external_attr = FILE_MODE << 16
            archive.writestr(info, entry.content, zipfile.ZIP_DEFLATED, compresslevel=6)


def write_tar(entries: list[Entry], target: Path) -> None:
    """The archive for Cloud Run, with its directories: not every extractor makes missing ones."""
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as archive,
    ):
        for directory in sorted({parent.as_posix() for e in entries for parent in PurePosixPath(e.path).parents}):
            if directory != ".":
                archive.addfile(_member(directory, tarfile.DIRTYPE, DIRECTORY_MODE))
        for entry in entries:
            member = _member(entry.path, tarfile.REGTYPE, stat.S_IMODE(FILE_MODE))
            member.size = len(entry.content)
            archive.addfile(member, io.BytesIO(entry.content))


def _member(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode, member.mtime = kind, mode, TAR_TIME
    return member
