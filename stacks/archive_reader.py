"""Reads the archives that archives.py writes. It refuses all others, in which another reader could find other files."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import deflate

from stacks import archives
from stacks.archives import Deflated, Entry

# What the standard library raises for damaged archives, and archives.py for sizes beyond its format.
BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    ArithmeticError,
    struct.error,
)


def read(path: Path) -> list[Entry]:
    """All files of a zip or tar.gz, sorted by path.

    Raises one of BROKEN if it is damaged, or holds anything else, such as links, other modes or comments.
    """
    entries = _read_zip(path.read_bytes()) if path.suffix == ".zip" else _read_tar(path.read_bytes())
    return sorted(entries, key=lambda entry: entry.path)


def _read_zip(content: bytes) -> list[Entry]:
    files = archives.read_deflated(content)
    if archives.zip_archive(files) != content:
        raise ValueError("it is not exactly a zip of plain files")
    return [Entry(name, _inflated(name, file)) for name, file in files]


def _inflated(name: str, file: Deflated) -> bytes:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    content = stream.decompress(file.packed)
    if not stream.eof or stream.unused_data or (deflate.crc32(content), len(content)) != (file.crc, file.size):
        raise ValueError(f"{name!r} is damaged")
    return content


def _read_tar(content: bytes) -> list[Entry]:
    """Decompresses all of it first: tarfile stops before the padding, and would not see that the file is cut off."""
    plain, end = gzip.decompress(content), 0
    entries, folders = list[Entry](), set[str]()
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
        for found in archive:
            if found.isdir():
                folders.add(found.name)
                member = archives.tar_folder(found.name)
            else:
                file = archive.extractfile(found) if found.isreg() else None
                entries.append(Entry(found.name, file.read() if file else b""))
                member = archives.tar_file(entries[-1])
            if plain[end : end + len(member)] != member:
                raise ValueError(f"{found.name!r} is not exactly a plain file or folder")
            end += len(member)
    if plain[end:].strip(b"\0") or folders - archives.folders(entries):
        raise ValueError("there is more in it than files and their folders")
    return entries
