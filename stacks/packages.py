"""The locked packages for Linux on x86-64: installed, slimmed, compiled and compressed once, in `build/packages/`.

They are nearly all of the artifact, and an edit of the app leaves them as they are.
"""

import csv
import gzip
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

from stacks import archives, sbom, staging
from stacks.archives import Deflated, Entry, TarEnd
from stacks.staging import ArtifactError, locked, run

PYTHON_VERSION = "3.13"
PLATFORM = "x86_64-manylinux_2_28"

# The services that the app calls, of all that botocore describes, by folder.
AWS_SERVICES = {"dynamodb", "ssm", "sts"}
SUPERFLUOUS_DIRECTORIES = {"test", "tests", "__pycache__"}
SUPERFLUOUS_SUFFIXES = {".pyi", ".pyx", ".pxd", ".c", ".cc", ".h", ".proto"}
# Files that differ between machines (RECORD, direct_url.json), or that nothing reads at run time.
SUPERFLUOUS_FILES = {"py.typed", "RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "zip-safe"}

FACTS = "facts.json"
ARCHIVES = ZIP, TAR_END, DEFLATED_TAR_END = "packages.zip", "end.tar", "end.tar.deflate"


@dataclass(frozen=True)
class Packages:
    """What the artifact needs of the packages, without their files."""

    hashes: dict[str, str]
    """SHA-256 in hex, by path."""
    sizes: dict[str, int]
    """In bytes, unpacked, by name and version."""
    components: list[dict[str, Any]]
    """Of the SBOM."""
    zip: dict[str, Deflated]
    """By path."""
    tar: TarEnd


def installed(root: Path) -> Packages:
    """The locked packages of the checkout `root`.

    They are without their sources, which nothing but tracebacks would read: `.pyc` files take their places.
    Raises ArtifactError if uv is missing or cannot install them.
    """
    folder = root / "build" / "packages"
    sources = [root / "app" / "uv.lock", *(Path(str(module.__file__)) for module in (archives, sbom, staging))]
    versions = f"{platform.python_version()} {deflate.__version__}".encode()
    inputs = [versions, *(source.read_bytes() for source in [*sources, Path(__file__)])]
    packages = folder / hashlib.sha256(b"\0".join(inputs)).hexdigest()[:16]
    with locked(folder):
        if not packages.exists():
            for old in folder.glob("*/"):
                shutil.rmtree(old)
            with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder, ignore_cleanup_errors=True) as work:
                tree, result = Path(work, "tree"), Path(work, "result")
                tree.mkdir()
                result.mkdir()
                _vendor(root, tree)
                owners = _owners(tree)
                _slim(tree)
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
        with record.open(newline="") as lines:
            owners.update((row[0], package) for row in csv.reader(lines))
    return owners


def _slim(tree: Path) -> None:
    shutil.rmtree(tree / "bin", ignore_errors=True)
    _slim_models(tree / "botocore" / "data")
    for directory, children, files in tree.walk():
        for name in SUPERFLUOUS_DIRECTORIES.intersection(children):
            shutil.rmtree(directory / name)
            children.remove(name)
        for name in files:
            if name in SUPERFLUOUS_FILES or name.startswith(".") or Path(name).suffix in SUPERFLUOUS_SUFFIXES:
                (directory / name).unlink()


def _slim_models(models: Path) -> None:
    """Keep what clients of the app's services need, and not compressed, since every cold start reads it."""
    for service in models.glob("*/"):
        if service.name not in AWS_SERVICES:
            shutil.rmtree(service)
    for path in [*models.rglob("*.json*")]:
        content = path.read_bytes()
        path.unlink()
        if not path.name.startswith("examples-"):
            text = gzip.decompress(content) if path.suffix == ".gz" else content
            model = json.loads(text, object_hook=_undocumented)
            if path.name == "endpoints.json":
                for partition in model["partitions"]:
                    partition["services"] = {k: v for k, v in partition["services"].items() if k in AWS_SERVICES}
            path.with_name(path.name.removesuffix(".gz")).write_text(json.dumps(model, separators=(",", ":")))


def _undocumented(model: dict[str, Any]) -> dict[str, Any]:
    """Without documentation, which is text; anything else is a shape's member of that name."""
    return {key: value for key, value in model.items() if key != "documentation" or not isinstance(value, str)}


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
        "crc": [deflate.crc32((folder / name).read_bytes()) for name in ARCHIVES],
    }
    (folder / FACTS).write_text(json.dumps(facts))


def _sizes(entries: Iterable[Entry], owners: Mapping[str, str]) -> dict[str, int]:
    """The bytes of each package, with its .pyc files."""
    sizes: dict[str, int] = {}
    for entry in entries:
        path = PurePosixPath(entry.path)
        source = path.with_suffix(".py") if path.suffix == ".pyc" else path
        package = owners.get(source.as_posix()) or owners[f"{source}.gz"]  # botocore's models are unpacked
        sizes[package] = sizes.get(package, 0) + len(entry.content)
    return sizes


def _read(folder: Path) -> Packages:
    try:
        facts = json.loads((folder / FACTS).read_text())
        packed, plain, deflated = contents = [(folder / name).read_bytes() for name in ARCHIVES]
        if facts.pop("crc") == [deflate.crc32(content) for content in contents]:
            return Packages(**facts, zip=archives.read_deflated(packed), tar=TarEnd(plain, deflated))
    except (OSError, ValueError):
        pass
    raise ArtifactError(f"artifact: files in {folder} are missing or changed: delete it, and try again")
