"""The artifact: one tree, archived for Lambda (app.zip) and for Cloud Run (app.tar.gz), with one digest and one SBOM.

`python -m stacks.artifact` builds it if necessary, and prints its digest, sizes, SBOM and largest packages.
"""

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import deflate

from stacks import archives, packages, sbom, staging
from stacks.archive_file import Archive
from stacks.staging import ArtifactError, locked

# Lambda's limits on a function uploaded directly: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ZIP_BYTES = 50 * 2**20
MAX_UNPACKED_BYTES = 250 * 2**20
KEPT_BUILDS = 5
MANIFEST = "artifact.json"
SBOM = "sbom.cdx.json"


@dataclass(frozen=True)
class Artifact:
    """A built artifact. `packages` maps names and versions to unpacked sizes; all sizes are in bytes."""

    digest: str
    zip: Path
    tar: Path
    sbom: Path
    unpacked_bytes: int
    packages: dict[str, int]

    def archive(self, cloud: str) -> Archive:
        return Archive(self.digest, {"aws": self.zip, "gcp": self.tar}[cloud])

    @property
    def largest(self) -> list[tuple[str, int]]:
        """The ten largest packages, largest first."""
        return sorted(self.packages.items(), key=lambda package: (-package[1], package[0]))[:10]


def build(root: Path) -> Artifact:
    """The artifact of the checkout `root`, in its `build/artifacts/`; built only if its inputs have changed.

    Concurrent builds wait for one another, and an interrupted build leaves nothing that could pass for a complete one.
    Raises ArtifactError if uv or a package is missing, if the disk is full, or if the artifact exceeds Lambda's limits.
    """
    try:
        folder = root / "build" / "artifacts" / _inputs(root)
        if not (folder / MANIFEST).exists():
            with locked(folder.parent):
                if not (folder / MANIFEST).exists():
                    _build(root, folder)
        os.utime(folder)
        manifest = json.loads((folder / MANIFEST).read_text())
    except OSError as error:
        raise ArtifactError(f"artifact: {error}") from None
    artifact = Artifact(zip=folder / "app.zip", tar=folder / "app.tar.gz", sbom=folder / SBOM, **manifest)
    check_sizes(artifact)
    return artifact


def check_sizes(artifact: Artifact) -> None:
    """Raises ArtifactError if the artifact exceeds Lambda's limits."""
    largest = ", ".join(f"{name} {_mb(size)}" for name, size in artifact.largest[:3])
    for what, size, limit in (
        ("app.zip", artifact.zip.stat().st_size, MAX_ZIP_BYTES),
        ("the unpacked artifact", artifact.unpacked_bytes, MAX_UNPACKED_BYTES),
    ):
        if size > limit:
            message = (
                f"artifact: {what} is {_mb(size)}, but Lambda's limit is {_mb(limit)}: slim it in stacks/slimming.py"
            )
            raise ArtifactError(f"{message} (largest: {largest})")


def _inputs(root: Path) -> str:
    """A fingerprint of the artifact's inputs: the app, its project, the builder, Python and the compressor."""
    builder = [Path(__file__), *packages.SOURCES]
    project = [root / "app" / name for name in ("pyproject.toml", "uv.lock")]
    inputs = hashlib.sha256(f"{platform.python_version()} {deflate.__version__}".encode())
    for path in [*staging.app_files(root / "app"), *project, *builder]:
        name = path.name if path in builder else path.relative_to(root).as_posix()
        inputs.update(f"\0{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return inputs.hexdigest()[:16]


def _build(root: Path, folder: Path) -> None:
    for left_over in folder.parent.glob("unfinished-*/"):
        shutil.rmtree(left_over)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder.parent, ignore_cleanup_errors=True) as work:
        tree, result = Path(work, "tree"), Path(work, "result")
        tree.mkdir()
        result.mkdir()
        packed = packages.installed(root)
        staging.stage_app(root, tree)
        entries = archives.read_tree(tree)
        archives.write_zip(entries, result / "app.zip", packed.zip)
        archives.write_tar(entries, result / "app.tar.gz", packed.tar)
        digest = archives.digest(entries, packed.hashes)
        (result / SBOM).write_text(sbom.describe(packed.components, root / "app", digest))
        sizes = packed.sizes | {"app": sum(len(one.content) for one in entries)}
        manifest = {"digest": digest, "unpacked_bytes": sum(sizes.values()), "packages": sizes}
        (result / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True))
        shutil.rmtree(folder, ignore_errors=True)
        result.rename(folder)
    builds = sorted((manifest.parent for manifest in folder.parent.glob(f"*/{MANIFEST}")), key=os.path.getmtime)
    for old in builds[:-KEPT_BUILDS]:
        shutil.rmtree(old)


def _mb(size: int) -> str:
    return f"{size / 2**20:.1f} MB"


def main(folders: Sequence[str] = ()) -> None:
    """Print the report of `make artifact`, and copy the archives and the SBOM into each of the folders.

    Sets the step's output `digest` in GitHub Actions.
    """
    try:
        artifact = build(Path(__file__).parent.parent)
        for folder in map(Path, folders):
            folder.mkdir(parents=True, exist_ok=True)
            for file in (artifact.zip, artifact.tar, artifact.sbom):
                shutil.copy(file, folder)
    except (ArtifactError, OSError) as error:
        sys.exit(str(error))
    if path := os.environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a") as file:
            file.write(f"digest={artifact.digest}\n")
    print(artifact.digest)
    for archive in (artifact.zip, artifact.tar):
        print(f"{_mb(archive.stat().st_size):>10}  {os.path.relpath(archive)}")
    print(f"{'SBOM':>10}  {os.path.relpath(artifact.sbom)}")
    print(f"{_mb(artifact.unpacked_bytes):>10}  unpacked, of which")
    for name, size in artifact.largest:
        print(f"{_mb(size):>10}    {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
