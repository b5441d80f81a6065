"""The archive of an artifact for one cloud: built by this checkout, or brought into it by `make promote`."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from stacks import archive_reader, archives
from stacks.staging import ArtifactError

NAMES = {"aws": "app.zip", "gcp": "app.tar.gz"}


@dataclass(frozen=True)
class Archive:
    """`digest` is the artifact's, which is the same for the archives of both clouds."""

    digest: str
    path: Path

    @property
    def sha256(self) -> str:
        """The hash by which Lambda identifies the archive: its SHA-256 in base64."""
        return base64.b64encode(hashlib.sha256(self.path.read_bytes()).digest()).decode()


def promoted(root: Path, cloud: str, digest: str) -> Archive | None:
    """The archive of the artifact in `build/promoted/` of the checkout `root`; None if it is not there.

    Raises ArtifactError if its entries do not have this digest.
    """
    path = root / "build" / "promoted" / digest.removeprefix("sha256:") / NAMES[cloud]
    if not path.exists():
        return None
    try:
        found = archives.digest(archive_reader.read(path))
    except archive_reader.BROKEN as error:
        found = f"no artifact ({' '.join(str(error).split())})"
    if found != digest:
        raise ArtifactError(f"{path} holds {found} instead of {digest}: delete it, and promote again")
    return Archive(digest, path)
