"""Reproducible archives: a digest, a zip and a tar.gz, of the same bytes wherever and whenever they are made."""

import hashlib
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
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
END_OF_TAR = bytes(2 * tarfile.BLOCKSIZE)
GZIP_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # deflated; no name, no time, unknown system
MAX_STORED = 2**16 - 1  # bytes of a block
# libdeflate's level. The lock pins libdeflate, whereas the interpreter's zlib differs between machines.
LEVEL = 6


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


@dataclass(frozen=True)
class TarEnd:
    """The last members of a tar and its end-of-archive marker, as they are and deflated."""

    plain: bytes
    deflated: bytes

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "TarEnd":
        plain = tar(entries) + END_OF_TAR
        return cls(plain, bytes(deflate.deflate_compress(plain, LEVEL)))


def read_tree(tree: Path) -> list[Entry]:
    """All files below `tree`, sorted by path."""
    files = ((path.relative_to(tree).as_posix(), path) for path in tree.rglob("*") if path.is_file())
    return [Entry(name, path.read_bytes()) for name, path in sorted(files)]


def hashes(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """The paths, each with the content's SHA-256 in hex."""
    return ((entry.path, hashlib.sha256(entry.content).hexdigest()) for entry in entries)


def digest(entries: Iterable[Entry], hashed: Mapping[str, str] = MappingProxyType({})) -> str:
    """`sha256:<hex>` of the sorted list of (path, mode, content sha256).

    `hashed` are the hashes of more files, by path.
    """
    pairs = sorted([*hashes(entries), *hashed.items()])
    lines = (f"{path}\0{FILE_MODE:o}\0{content}\n" for path, content in pairs)
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def write_zip(entries: Iterable[Entry], target: Path, deflated: Iterable[tuple[str, Deflated]] = ()) -> None:
    """Write the archive for Lambda (PKWARE's APPNOTE.TXT). zipfile can only compress with the interpreter's zlib.

    `deflated` are the paths and contents of more files.
    """
    target.write_bytes(zip_archive([*((entry.path, Deflated.of(entry.content)) for entry in entries), *deflated]))


def zip_archive(contents: Sequence[tuple[str, Deflated]]) -> bytes:
    """A zip of the paths and contents."""
    files, directory = bytearray(), bytearray()
    for path, content in sorted(contents, key=itemgetter(0)):
        name = path.encode()
        sizes = content.crc, len(content.packed), content.size, len(name)
        common = struct.pack("<5H3I2H", 20, 0x800, 8, *ZIP_TIME, *sizes, 0)  # version 2.0, UTF-8, deflated
        made_by = struct.pack("<H", 3 << 8 | 20)  # Unix
        attributes = struct.pack("<3H2I", 0, 0, 0, FILE_MODE << 16, len(files))
        directory += b"PK\1\2" + made_by + common + attributes + name
        files += b"PK\3\4" + common + name + content.packed
    count = len(contents)
    end = struct.pack("<4H2IH", 0, 0, count, count, len(directory), len(files), 0)
    return bytes(files + directory + b"PK\5\6" + end)


def read_deflated(archive: bytes) -> list[tuple[str, Deflated]]:
    """The paths and contents of a zip by `write_zip`."""
    found: list[tuple[str, Deflated]] = []
    with zipfile.ZipFile(io.BytesIO(archive)) as directory:
        for info in directory.infolist():
            start = info.header_offset + LOCAL_HEADER_BYTES + len(info.filename.encode())
            packed = archive[start : start + info.compress_size]
            found.append((info.filename, Deflated(info.CRC, info.file_size, packed)))
    return found


def write_tar(entries: Iterable[Entry], target: Path, end: TarEnd | None = None) -> None:
    """Write the archive for Cloud Run: the entries, and an end that is compressed already.

    It is one member of gzip (RFC 1952), which all readers accept. Its deflated data begin with the entries, stored
    without compression, since the compressor cannot end them in a way that more data may follow.
    """
    start, end = tar(entries), end or TarEnd.of([])
    crc = deflate.crc32(end.plain, deflate.crc32(start))
    size = (len(start) + len(end.plain)) % 2**32
    target.write_bytes(GZIP_HEADER + _stored(start) + end.deflated + struct.pack("<2I", crc, size))


def _stored(content: bytes) -> bytes:
    """Blocks without compression, none of which is the last (RFC 1951, 3.2.4)."""
    blocks = (content[start : start + MAX_STORED] for start in range(0, len(content), MAX_STORED))
    return b"".join(struct.pack("<B2H", 0, len(block), len(block) ^ 0xFFFF) + block for block in blocks)


def tar(entries: Iterable[Entry]) -> bytes:
    """The members of an archive without its end, including directories, since not every extractor creates them."""
    files = sorted(entries, key=lambda entry: entry.path)
    return b"".join([*map(tar_folder, sorted(folders(files))), *map(tar_file, files)])


def tar_folder(path: str) -> bytes:
    """The member of a tar."""
    return _member(path, tarfile.DIRTYPE, DIRECTORY_MODE)


def tar_file(entry: Entry) -> bytes:
    """The member of a tar."""
    return _member(entry.path, tarfile.REGTYPE, stat.S_IMODE(FILE_MODE), entry.content)


def folders(entries: Iterable[Entry]) -> set[str]:
    """The folders that the files are in."""
    return {parent.as_posix() for entry in entries for parent in PurePosixPath(entry.path).parents} - {"."}


def _member(path: str, kind: bytes, mode: int, content: bytes = b"") -> bytes:
    member = tarfile.TarInfo(path)
    member.type, member.mode, member.mtime, member.size = kind, mode, TAR_TIME, len(content)
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8") + content + bytes(-len(content) % tarfile.BLOCKSIZE)
