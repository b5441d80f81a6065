"""Reads the archives that archives.py writes, and refuses all others."""

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path

from stacks import archives
from stacks.archives import DIRECTORY_MODE, FILE_MODE, LOCAL_HEADER_BYTES, Entry

END_OF_ZIP_BYTES = 22  # without a comment
# What the standard library raises for damaged archives.
BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RuntimeError)


def read(path: Path) -> list[Entry]:
    """All files of a zip or tar.gz, sorted by path.

    Raises one of BROKEN if it is damaged, or holds more than `write_zip` and `write_tar` write: links, or other modes.
    """
    entries = _read_zip(path) if path.suffix == ".zip" else _read_tar(path)
    return sorted(entries, key=lambda entry: entry.path)


def _read_zip(path: Path) -> list[Entry]:
    with zipfile.ZipFile(path) as archive:
        end = 0
        for info in archive.infolist():
            _check_mode(info.filename, info.external_attr >> 16)
            if info.header_offset != end:
                raise ValueError(f"there is something before {info.filename!r}")
            end += LOCAL_HEADER_BYTES + len(info.orig_filename.encode()) + info.compress_size
        if archive.start_dir != end or path.read_bytes()[-END_OF_ZIP_BYTES:][:4] != b"PK\5\6":
            raise ValueError("there is something after the files")
        return [Entry(info.filename, archive.read(info)) for info in archive.infolist()]


def _read_tar(path: Path) -> list[Entry]:
    """Decompresses all of it first: tarfile stops before the padding, and would not see that the file is cut off."""
    entries, folders = list[Entry](), list[tuple[str, int]]()
    plain = io.BytesIO(gzip.decompress(path.read_bytes()))
    with tarfile.open(fileobj=plain, mode="r:") as archive:
        for member in archive:
            if member.isdir():
                folders.append((member.name, member.mode))
                continue
            content = archive.extractfile(member) if member.isreg() else None
            _check_mode(member.name, stat.S_IFREG | member.mode if content else 0)
            entries.append(Entry(member.name, content.read() if content else b""))
        if plain.getvalue()[archive.offset :].strip(b"\0"):
            raise ValueError("there is something after the files")
    for folder, mode in set(folders) - {(name, DIRECTORY_MODE) for name in archives.folders(entries)}:
        raise ValueError(f"{folder!r} of mode {mode:o} is no folder of its files")
    return entries


def _check_mode(name: str, mode: int) -> None:
    if mode != FILE_MODE:
        raise ValueError(f"{name!r} is not a plain file of mode {stat.S_IMODE(FILE_MODE):o}")
