"""Unpacks archives of code, each once, and read-only as on the real platforms."""

import gzip
import hashlib
import io
import shutil
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections import defaultdict
from pathlib import Path, PurePosixPath

_LOCKS = defaultdict[Path, threading.Lock](threading.Lock)  # by target


def unpack(archive: bytes, folder: Path) -> Path:
    """The folder `folder`/<sha256> with the content of a zip or tar.gz. Raises ValueError if it is neither."""
    target = folder / hashlib.sha256(archive).hexdigest()
    if target.exists():  # checked before the lock, so that no request waits for another archive
        return target
    with _LOCKS[target]:
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(dir=folder))
            try:
                _extract(archive, unfinished)
                _make_read_only(unfinished)
                unfinished.rename(target)
            except BaseException:
                remove(unfinished)
                raise
    return target


def _extract(archive: bytes, folder: Path) -> None:
    if zipfile.is_zipfile(io.BytesIO(archive)):
        zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
        return
    try:
        plain = gzip.decompress(archive)  # at once, which takes half the time of tarfile's mode "r:gz"
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            tar.extractall(folder, filter=_inside)
    except (gzip.BadGzipFile, EOFError, zlib.error, tarfile.TarError) as error:
        raise ValueError(f"the archive is neither a zip nor a tar.gz: {error}") from error


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Leaves members to tarfile's own filter unless the name alone says that they stay in the folder.

    That filter resolves each path in the file system, which takes four times as long as all else.
    """
    name = PurePosixPath(member.name)
    if (member.isreg() or member.isdir()) and not name.is_absolute() and ".." not in name.parts:
        return member
    return tarfile.data_filter(member, folder)


def _make_read_only(folder: Path) -> None:
    for directory, _, files in folder.walk():
        for file in files:
            (directory / file).chmod(0o400)
        directory.chmod(0o500)


def remove(folder: Path) -> None:
    """Removes a folder that contains read-only folders; does nothing if it does not exist."""
    for directory, _, _ in folder.walk():
        directory.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
