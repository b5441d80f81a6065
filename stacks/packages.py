"""The locked packages for Linux on x86-64: installed, slimmed, compiled and compressed once, in `build/packages/`.

They are nearly all of the artifact, and an edit of the app leaves them as they are.
"""

import csv
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import deflate

from stacks import archives, sbom, slimming, staging
from stacks.archives import Deflated, Entry, TarEnd
from stacks.staging import ArtifactError, locked, run

PYTHON_VERSION = "3.13"
PLATFORM = "x86_64-manylinux_2_28"

FILES = FACTS, ZIP, TAR_END, DEFLATED_TAR_END = "facts.json", "packages.zip", "end.tar", "end.tar.deflate"
CHECKSUMS = "checksums.json"
SOURCES = [Path(__file__), *(Path(str(module.__file__)) for module in (archives, sbom, slimming, staging))]
UNRECORDED = "unrecorded"  # files that no package's RECORD lists


@dataclass(frozen=True)
class Packages:
    """What the artifact needs of the packages, without their files."""

    hashes: dict[str, str]
    """SHA-256 in hex, by path."""
    sizes: dict[str, int]
    """In bytes, unpacked, by name and version."""
    components: list[dict[str, Any]]
    """Of the SBOM."""
    zip: list[tuple[str, Deflated]]
    """Paths and contents."""
    tar: TarEnd


def installed(root: Path) -> Packages:
    """The locked packages of the checkout `root`.

    They are without their sources, which nothing but tracebacks would read: `.pyc` files take their places.
    Raises ArtifactError if uv is missing or cannot install them.
    """
    folder = root / "build" / "packages"
    versions = f"{platform.python_version()} {deflate.__version__}".encode()
    inputs = [versions, *(source.read_bytes() for source in [root / "app" / "uv.lock", *SOURCES])]
    packages = folder / hashlib.sha256(b"\0".join(inputs)).hexdigest()[:16]
    with locked(folder):
        for unfinished in folder.glob("unfinished-*/"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if not packages.exists():
            for old in folder.glob("*/"):
                shutil.rmtree(old, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder, ignore_cleanup_errors=True) as work:
                tree, result = Path(work, "tree"), Path(work, "result")
                tree.mkdir()
                result.mkdir()
                _vendor(root, tree)
                owners = _owners(tree)
                slimming.slim(tree)
                staging.compile_tree(tree, tree, "-b")
                for source in tree.rglob("*.py"):
                    source.unlink()
                _write(tree, owners, root / "app", result)
                result.rename(packages)
        return _read(packages)


def _vendor(root: Path, tree: Path) -> None:
    if sys.version_info[:2] != tuple(map(int, PYTHON_VERSION.split("."))):
        raise ArtifactError(
            f"artifact: it needs Python {PYTHON_VERSION}, and {sys.executable} is {sys.version.split()[0]}"
        )
    uv = os.environ.get("UV") or shutil.which("uv")
    if not uv:
        raise ArtifactError("artifact: uv is missing: set UV to its path, or install it (`pip install uv`)")
    requirements = tree.with_name("requirements.txt")
    export = [uv, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--project", str(root / "app")]
    run([*export, "--output-file", str(requirements)])
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    target = ["--python-platform", PLATFORM, "--python-version", PYTHON_VERSION, "--target", str(tree)]
    python = ["--python", sys.executable]
    run([*install, *target, *python, "--requirements", str(requirements)])


def _owners(tree: Path) -> dict[str, str]:
    """The package that each installed file belongs to, from the packages' own records."""
    owners: dict[str, str] = {}
    for record in tree.glob("*.dist-info/RECORD"):
        package = record.parent.name.removesuffix(".dist-info")
        with record.open(newline="", encoding="utf-8") as lines:
            owners.update((row[0], package) for row in csv.reader(lines))
    return owners


def _write(tree: Path, owners: Mapping[str, str], app: Path, folder: Path) -> None:
    entries = archives.read_tree(tree)
    archives.write_zip(entries, folder / ZIP)
    end = TarEnd.of(entries)
    (folder / TAR_END).write_bytes(end.plain)
    (folder / DEFLATED_TAR_END).write_bytes(end.deflated)
    facts = {
        "hashes": dict(archives.hashes(entries)),
        "sizes": _sizes(entries, owners),
        "components": sbom.components(tree, app),
    }
    (folder / FACTS).write_text(json.dumps(facts))
    (folder / CHECKSUMS).write_text(json.dumps(_checksums(_contents(folder))))


def _sizes(entries: Iterable[Entry], owners: Mapping[str, str]) -> dict[str, int]:
    """The bytes of each package, with its .pyc files."""
    sizes: dict[str, int] = {}
    for entry in entries:
        path = PurePosixPath(entry.path)
        source = path.with_suffix(".py") if path.suffix == ".pyc" else path
        names = (source.as_posix(), f"{source}.gz")  # botocore's models are unpacked
        package = next((owners[name] for name in names if name in owners), UNRECORDED)
        sizes[package] = sizes.get(package, 0) + len(entry.content)
    return sizes


def _contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def _checksums(contents: Mapping[str, bytes]) -> dict[str, int]:
    return {name: deflate.crc32(content) for name, content in contents.items()}


def _read(folder: Path) -> Packages:
    try:
        contents, checksums = _contents(folder), json.loads((folder / CHECKSUMS).read_text())
    except (FileNotFoundError, ValueError):
        contents, checksums = dict[str, bytes](), None
    if checksums != _checksums(contents):
        raise ArtifactError(f"artifact: files in {folder} are missing or changed: delete it, and try again")
    tar = TarEnd(contents[TAR_END], contents[DEFLATED_TAR_END])
    return Packages(**json.loads(contents[FACTS]), zip=archives.read_deflated(contents[ZIP]), tar=tar)
