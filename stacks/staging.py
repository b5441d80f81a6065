"""Builds the artifact's tree: the app and its locked dependencies for Linux on x86-64, slimmed and compiled."""

import csv
import fcntl
import gzip
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import deflate

from stacks import archives
from stacks.archives import Entry

PYTHON_VERSION = "3.13"
PLATFORM = "x86_64-manylinux_2_28"

NOT_DEPLOYED = {"pyproject.toml", "uv.lock", "pyrightconfig.json", "tests", "__pycache__"}

# The services that the app calls, of all that botocore describes, by folder.
AWS_SERVICES = {"dynamodb", "ssm", "sts"}
SUPERFLUOUS_DIRECTORIES = {"test", "tests", "__pycache__"}
SUPERFLUOUS_SUFFIXES = {".pyi", ".pyx", ".pxd", ".c", ".cc", ".h", ".proto"}
# Files that differ between machines (RECORD, direct_url.json), or that nothing reads at run time.
SUPERFLUOUS_FILES = {"py.typed", "RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "zip-safe"}

TREE, ZIP, OWNERS = "tree", "tree.zip", "owners.json"  # of the packages: their files, and which is of which package


class ArtifactError(Exception):
    """The artifact cannot be built; the message is one line with the reason and the fix."""


def app_files(app: Path) -> Iterator[Path]:
    """The files of the app's folder that are deployed, sorted: all but dot files, tests and project files."""
    for path in sorted(app.iterdir()):
        if path.name.startswith(".") or path.name in NOT_DEPLOYED:
            continue
        if path.is_dir():
            yield from app_files(path)
        else:
            yield path


def stage_app(root: Path, tree: Path) -> None:
    """Fill the empty folder `tree` with the app of the checkout `root`, compiled."""
    for source in app_files(root / "app"):
        target = tree / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    _compile(tree, tree / "app")


def packages(root: Path) -> Path:
    """The folder with TREE, ZIP and OWNERS of the locked packages, in the checkout's `build/packages/`.

    An edit of the app leaves them as they are, and compiling and compressing them takes longest.

    They are without their sources, which nothing but tracebacks would read: `.pyc` files take their places.
    Raises ArtifactError if uv is missing or cannot install the locked packages.
    """
    folder = root / "build" / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    sources = [root / "app" / "uv.lock", Path(__file__), Path(archives.__file__)]
    versions = f"{platform.python_version()} {deflate.__version__}".encode()
    inputs = [versions, *(source.read_bytes() for source in sources)]
    packages = folder / hashlib.sha256(b"\0".join(inputs)).hexdigest()[:16]
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not packages.exists():
            for old in folder.glob("*/"):
                shutil.rmtree(old)
            unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder))
            tree = unfinished / TREE
            tree.mkdir()
            _vendor(root, tree)
            (unfinished / OWNERS).write_text(json.dumps(_owners(tree)))
            _slim(tree)
            _compile(tree, tree, "-b")
            for source in tree.rglob("*.py"):
                source.unlink()
            archives.write_zip(archives.read_tree(tree), unfinished / ZIP)
            unfinished.rename(packages)
    return packages


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
    _run([*export, "--output-file", str(requirements)])
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    target = ["--python-platform", PLATFORM, "--python-version", PYTHON_VERSION, "--target", str(tree)]
    python = ["--python", sys.executable]
    _run([*install, *target, *python, "--requirements", str(requirements)])


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


def _compile(tree: Path, folder: Path, *options: str) -> None:
    """Compile a folder of the tree to unchecked hash-based .pyc files (PEP 552), valid whatever the files' times are.

    In a clean interpreter, so that the bytes do not depend on what this one has loaded.
    """
    fixed = ["-q", "-j", "0", "-o", "0", "--invalidation-mode", "unchecked-hash", "-s", str(tree)]
    _run([sys.executable, "-I", "-W", "ignore", "-m", "compileall", *fixed, *options, str(folder)])


def sizes(entries: Iterable[Entry], owners: Mapping[str, str]) -> dict[str, int]:
    """The bytes of each package, with its .pyc files."""
    sizes: dict[str, int] = {}
    for entry in entries:
        path = PurePosixPath(entry.path)
        source = path.with_suffix(".py") if path.suffix == ".pyc" else path
        package = owners.get(source.as_posix()) or owners.get(f"{source}.gz", "app")  # botocore's models are unpacked
        sizes[package] = sizes.get(package, 0) + len(entry.content)
    return sizes


def _run(command: list[str]) -> None:
    try:
        # Bytecode is compiled at the end, so uv must not compile it, even if the environment asks it to.
        environ = os.environ | {"UV_COMPILE_BYTECODE": "0"}
        subprocess.run(command, check=True, capture_output=True, text=True, env=environ)
    except FileNotFoundError:
        raise ArtifactError(f"artifact: no such command: {command[0]}; set UV to uv's path") from None
    except subprocess.CalledProcessError as error:
        reason = " ".join((error.stderr or error.stdout).split())
        raise ArtifactError(f"artifact: `{' '.join(command[:3])}` failed: {reason}") from None
