"""Unpacks archives of code, each once, and read-only as on the real platforms."""

import hashlib
import io
import shutil
import tarfile
import tempfile
import threading
import zipfile
from pathlib import Path

_LOCK = threading.Lock()


def unpack(archive: bytes, folder: Path) -> Path:
    """The folder `folder`/<sha256> with the content of a zip or tar.gz. Raises ValueError if it is neither."""
    target = folder / hashlib.sha256(archive).hexdigest()
    if target.exists():  # checked before the lock, so that no request waits for another archive
        return target
    with _LOCK:
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
    content = io.BytesIO(archive)
    if zipfile.is_zipfile(content):
        zipfile.ZipFile(content).extractall(folder)
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as tar:
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise ValueError(f"the archive is neither a zip nor a tar.gz: {error}") from error


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
