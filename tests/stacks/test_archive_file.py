"""Archives that `make promote` has brought into the checkout are deployed only if they are what their folder says."""

import gzip
import hashlib
import io
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest

from stacks.archive_file import NAMES, Archive, promoted
from stacks.archive_reader import read
from stacks.archives import Entry, digest, write_tar, write_zip
from stacks.artifact import Artifact
from stacks.staging import ArtifactError
from tests.stacks.deployment import deploy

ENTRIES = [Entry("app/__init__.py", b""), Entry("app/größe.py", b"x = 1\n"), Entry("b.py", b"y = 2\n")]
DIGEST = digest(ENTRIES)
both = pytest.mark.parametrize("cloud", ["aws", "gcp"])


def bring(root: Path, cloud: str, entries: list[Entry] = ENTRIES) -> Path:
    """Writes the archive to where `make promote` does."""
    folder = root / "build" / "promoted" / DIGEST.removeprefix("sha256:")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAMES[cloud]
    (write_zip if cloud == "aws" else write_tar)(entries, path)
    return path


@both
def test_an_archive_is_found_by_its_digest(tmp_path: Path, cloud: str) -> None:
    assert promoted(tmp_path, cloud, DIGEST) is None
    path = bring(tmp_path, cloud)
    assert promoted(tmp_path, cloud, DIGEST) == Archive(DIGEST, path)
    assert promoted(tmp_path, "gcp" if cloud == "aws" else "aws", DIGEST) is None


def test_the_archives_of_a_build_have_its_digest(artifact: Artifact) -> None:
    for cloud in ("aws", "gcp"):
        assert digest(read(artifact.archive(cloud).path)) == artifact.digest


def linked(path: Path) -> None:
    """The same entries, one of them a link in tar and a command in zip."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for entry in ENTRIES:
                info = zipfile.ZipInfo(entry.path)
                info.external_attr = (stat.S_IFREG | (0o755 if entry.path == "b.py" else 0o644)) << 16
                archive.writestr(info, entry.content)
        return
    with tarfile.open(path, "w:gz") as archive:
        for entry in ENTRIES[:2]:
            member = tarfile.TarInfo(entry.path)
            member.size = len(entry.content)
            archive.addfile(member, io.BytesIO(entry.content))
        link = tarfile.TarInfo("b.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def cut_off_after_the_last_entry(path: Path) -> None:
    """In a tar.gz, only the padding and the checksum are cut off, as of every large archive."""
    write = write_zip if path.suffix == ".zip" else write_tar
    write([*ENTRIES, Entry("z.bin", b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256)))], path)
    cut_off(path)


def overwritten(path: Path) -> None:
    path.write_bytes(b"no archive" * 20)


def preceded(path: Path) -> None:
    """By bytes that no reader of zips looks at, or by a folder elsewhere, which none of the files is in."""
    if path.suffix == ".zip":
        path.write_bytes(b"more" + path.read_bytes())
        return
    folder = tarfile.TarInfo("../elsewhere")
    folder.type, folder.mode = tarfile.DIRTYPE, 0o755
    path.write_bytes(gzip.compress(folder.tobuf() + gzip.decompress(path.read_bytes())))


def commented(path: Path) -> None:
    """With an extra field of the last file, or a PAX header of another."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "a") as archive:
            archive.infolist()[-1].extra = b"\xfe\xca\0\0"
            archive._didModify = True  # pyright: ignore[reportAttributeAccessIssue]
        return
    member = tarfile.TarInfo("app/another.py")
    member.pax_headers = {"comment": "more"}
    path.write_bytes(gzip.compress(member.tobuf(tarfile.PAX_FORMAT) + gzip.decompress(path.read_bytes())))


def huge(path: Path) -> None:
    """A member larger than any file, or one that is compressed in a way that is never used."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
            archive.writestr("b.py", b"y = 2\n")
        path.write_bytes(path.read_bytes().replace(b"\x5d\0\0", b"\xff\xff\xff"))
        return
    member = tarfile.TarInfo("b.py")
    member.size = 2**66
    path.write_bytes(gzip.compress(member.tobuf(tarfile.GNU_FORMAT)))


def oversized(path: Path) -> None:
    """With a file that is said to have more bytes than the archive, and than a zip without extensions can say."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "a") as archive:
            archive.infolist()[-1].file_size = 2**40
            archive._didModify = True  # pyright: ignore[reportAttributeAccessIssue]
        return
    member = tarfile.TarInfo("b.py")
    member.size = 2**40
    path.write_bytes(gzip.compress(member.tobuf(tarfile.PAX_FORMAT)))


def followed(path: Path) -> None:
    """By bytes that no reader looks at."""
    if path.suffix == ".zip":
        path.write_bytes(path.read_bytes() + b"more")
    else:
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"more"))


@both
@pytest.mark.parametrize(
    "tamper",
    [
        emptied,
        cut_off,
        cut_off_after_the_last_entry,
        overwritten,
        linked,
        preceded,
        commented,
        huge,
        oversized,
        followed,
    ],
)
def test_a_damaged_archive_is_refused_in_one_line(tmp_path: Path, cloud: str, tamper: Callable[[Path], object]) -> None:
    path = bring(tmp_path, cloud)
    tamper(path)
    with pytest.raises(ArtifactError) as error:
        promoted(tmp_path, cloud, DIGEST)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{path} holds no artifact (")
    assert str(error.value).endswith(f") instead of {DIGEST}: delete it, and promote again")


@both
@pytest.mark.parametrize("entries", [ENTRIES[:2], [*ENTRIES, ENTRIES[0]], [*ENTRIES[:2], Entry("b.py", b"y = 3\n")]])
def test_another_artifact_is_refused(tmp_path: Path, cloud: str, entries: list[Entry]) -> None:
    path = bring(tmp_path, cloud, entries)
    with pytest.raises(ArtifactError) as error:
        promoted(tmp_path, cloud, DIGEST)
    assert str(error.value) == f"{path} holds {digest(sorted(entries, key=lambda e: e.path))} instead of {DIGEST}: " + (
        "delete it, and promote again"
    )


@pytest.fixture
def checkout(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that has the program, and builds nothing."""
    shutil.copy(root / "__main__.py", tmp_path)
    monkeypatch.setattr("tests.stacks.deployment.PROGRAM", tmp_path / "__main__.py")
    return tmp_path


@both
def test_the_stack_deploys_it_as_if_it_were_built(checkout: Path, cloud: str) -> None:
    path = bring(checkout, cloud)
    stack = deploy(cloud, {"better-together:artifact": DIGEST})
    [uploaded] = [r.inputs for r in stack.resources if "ucketObject" in r.type]
    assert uploaded["source"].path == str(path)
    assert DIGEST.removeprefix("sha256:") in (uploaded.get("key") or uploaded["name"])
    assert stack.outputs["artifactDigest"] == DIGEST
    path.write_bytes(b"")
    with pytest.raises(pulumi.RunError, match="holds no artifact"):
        deploy(cloud, {"better-together:artifact": DIGEST})
    again = deploy(cloud, {"better-together:artifact": DIGEST}, before=stack.outputs)
    assert not [r for r in again.resources if "ucketObject" in r.type], "it has run here, so its revision is known"
