"""Unpacks archives of code, read-only as on the real platforms."""

import gzip
import io
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

type Members = Iterator[tuple[str, bytes | memoryview | None]]
"""The name of each file and its content, or None for a folder."""

UNFINISHED = ".unfinished"
"""The suffix of folders that are being unpacked or removed."""


def unpack(archive: bytes, target: Path, like: Path | None = None) -> Path:
    """Unpacks a zip or tar.gz to `target`, unless that exists. Raises ValueError if it is neither.

    Files that are the same in another unpacked archive, `like`, become links to those. Nothing else may unpack to
    `target` meanwhile.
    """
    if not target.exists():
        unfinished = Path(tempfile.mkdtemp(UNFINISHED, dir=target.parent))
        try:
            _extract(archive, unfinished, like)
            _make_read_only(unfinished)
            unfinished.rename(target)
        except BaseException:
            remove(unfinished)
            raise
    return target


def _extract(archive: bytes, folder: Path, like: Path | None) -> None:
    try:
        if zipfile.is_zipfile(io.BytesIO(archive)):
            _write(_zip_members(archive), folder, like)
            return
        plain = gzip.decompress(archive)  # at once, which takes half the time of tarfile's mode "r:gz"
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            if all(member.isdir() or (member.isreg() and not member.issparse()) for member in tar):
                _write(_tar_members(tar, plain), folder, like)
            else:
                tar.extractall(folder, filter="data")
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, tarfile.TarError) as error:
        raise ValueError(f"the archive is neither a zip nor a tar.gz: {error}") from error


def _zip_members(archive: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        for info in file.infolist():
            yield info.filename, None if info.is_dir() else file.read(info)


def _tar_members(tar: tarfile.TarFile, plain: bytes) -> Members:
    view = memoryview(plain)
    for member in tar:
        yield member.name, None if member.isdir() else view[member.offset_data : member.offset_data + member.size]


def _write(members: Members, folder: Path, like: Path | None) -> None:
    """Like `extractall` of zipfile and tarfile, which also care for links, modes and owners, in half the time.

    Without links, the name alone says whether a file or a folder stays in the folder.
    """
    entries = {PurePosixPath(name): content for name, content in members}
    for path in entries:
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"'{path}' in the archive is outside its folder")
    for path in {path if content is None else path.parent for path, content in entries.items()}:
        (folder / path).mkdir(parents=True, exist_ok=True)
    for path, content in entries.items():
        if content is not None and not (like and _link(folder / path, like / path, content)):
            (folder / path).write_bytes(content)


def _link(target: Path, twin: Path, content: bytes | memoryview) -> bool:
    """Whether the target is now a link to its twin, which may not exist, or vanish meanwhile."""
    try:
        if twin.is_symlink() or twin.read_bytes() != content:
            return False
        target.hardlink_to(twin)
    except OSError:
        return False
    return True


def _make_read_only(folder: Path) -> None:
    for directory, _, files in folder.walk():
        for path in (directory / file for file in files):
            if not path.is_symlink():
                path.chmod(0o400)
        directory.chmod(0o500)


def remove(folder: Path) -> None:
    """Removes a folder that contains read-only folders, of which others may remove some at the same time."""
    for directory, _, _ in folder.walk():
        with suppress(FileNotFoundError):
            directory.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
