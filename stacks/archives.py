"""Reproducible archives: a digest, a zip and a tar.gz that depend only on the files' paths and contents."""

import gzip
import hashlib
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import deflate

# No file in the tree is a command, so all have the same mode, whatever the builder's umask.
FILE_MODE = stat.S_IFREG | 0o644
DIRECTORY_MODE = 0o755
# The earliest time that both formats can represent, 1980-01-01, in the encoding of each.
ZIP_TIME = (0, 1 << 5 | 1)
TAR_TIME = 315_532_800
LOCAL_HEADER_BYTES = 30  # of a zip's entry, before its name
# libdeflate's level. The lock pins libdeflate, whereas the interpreter's zlib differs between machines.
LEVEL = 6
# What the standard library raises for damaged archives.
BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RuntimeError)


@dataclass(frozen=True)
class Entry:
    """A file of the artifact: its POSIX path relative to the root, and its content."""

    path: str
    content: bytes


@dataclass(frozen=True)
class Deflated:
    """The content of an entry as it is in a zip."""

    crc: int
    size: int
    packed: bytes

    @classmethod
    def of(cls, content: bytes) -> "Deflated":
        return cls(deflate.crc32(content), len(content), bytes(deflate.deflate_compress(content, LEVEL)))


def read_tree(tree: Path) -> list[Entry]:
    """All files below `tree`, sorted by path."""
    files = ((path.relative_to(tree).as_posix(), path) for path in tree.rglob("*") if path.is_file())
    return [Entry(name, path.read_bytes()) for name, path in sorted(files)]


def read(path: Path) -> list[Entry]:
    """All files of a zip or tar.gz, sorted by path.

    Raises one of BROKEN if it is damaged, or holds more than `write_zip` and `write_tar` write: links, or other modes.
    """
    entries = _read_zip(path) if path.suffix == ".zip" else _read_tar(path)
    return sorted(entries, key=lambda entry: entry.path)


def _read_zip(path: Path) -> list[Entry]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            _check_mode(info.filename, info.external_attr >> 16)
        return [Entry(info.filename, archive.read(info)) for info in archive.infolist()]


def _read_tar(path: Path) -> list[Entry]:
    """Decompresses all of it first: tarfile stops before the padding, and would not see that the file is cut off."""
    entries: list[Entry] = []
    plain = io.BytesIO(gzip.decompress(path.read_bytes()))
    with tarfile.open(fileobj=plain, mode="r:") as archive:
        for member in archive:
            if member.isdir():
                continue
            content = archive.extractfile(member) if member.isreg() else None
            _check_mode(member.name, stat.S_IFREG | member.mode if content else 0)
            entries.append(Entry(member.name, content.read() if content else b""))
    return entries


def _check_mode(name: str, mode: int) -> None:
    if mode != FILE_MODE:
        raise ValueError(f"{name!r} is not a plain file of mode {stat.S_IMODE(FILE_MODE):o}")


def digest(entries: list[Entry]) -> str:
    """`sha256:<hex>` of the sorted list of (path, mode, content sha256)."""
    lines = (f"{e.path}\0{FILE_MODE:o}\0{hashlib.sha256(e.content).hexdigest()}\n" for e in entries)
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def write_zip(entries: list[Entry], target: Path, deflated: Mapping[str, Deflated] = MappingProxyType({})) -> None:
    """Write the archive for Lambda (PKWARE's APPNOTE.TXT). zipfile can only compress with the interpreter's zlib.

    `deflated` holds the contents of some of the entries, by path, so that they need not be compressed again.
    """
    directory = bytearray()
    with target.open("wb") as archive:
        for entry in entries:
            name, content = entry.path.encode(), deflated.get(entry.path) or Deflated.of(entry.content)
            sizes = content.crc, len(content.packed), content.size, len(name)
            common = struct.pack("<5H3I2H", 20, 0x800, 8, *ZIP_TIME, *sizes, 0)  # version 2.0, UTF-8, deflated
            made_by = struct.pack("<H", 3 << 8 | 20)  # Unix
            attributes = struct.pack("<3H2I", 0, 0, 0, FILE_MODE << 16, archive.tell())
            directory += b"PK\1\2" + made_by + common + attributes + name
            archive.write(b"PK\3\4" + common + name + content.packed)
        count, size = len(entries), len(directory)
        archive.write(directory + b"PK\5\6" + struct.pack("<4H2IH", 0, 0, count, count, size, archive.tell(), 0))


def read_deflated(path: Path) -> dict[str, Deflated]:
    """The contents of a zip by `write_zip`, by path."""
    found: dict[str, Deflated] = {}
    archive = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(archive)) as directory:
        for info in directory.infolist():
            start = info.header_offset + LOCAL_HEADER_BYTES + len(info.filename.encode())
            packed = archive[start : start + info.compress_size]
            found[info.filename] = Deflated(info.CRC, info.file_size, packed)
    return found


def write_tar(entries: list[Entry], target: Path) -> None:
    """Write the archive for Cloud Run, including directories, since not every extractor creates missing ones."""
    plain = io.BytesIO()
    with tarfile.open(mode="w", fileobj=plain, format=tarfile.PAX_FORMAT) as archive:
        for directory in sorted({parent.as_posix() for e in entries for parent in PurePosixPath(e.path).parents}):
            if directory != ".":
                archive.addfile(_member(directory, tarfile.DIRTYPE, DIRECTORY_MODE))
        for entry in entries:
            member = _member(entry.path, tarfile.REGTYPE, stat.S_IMODE(FILE_MODE))
            member.size = len(entry.content)
            archive.addfile(member, io.BytesIO(entry.content))
    target.write_bytes(deflate.gzip_compress(plain.getbuffer(), LEVEL))


def _member(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode, member.mtime = kind, mode, TAR_TIME
    return member
