"""Each peer's package below build/compare/, with and without .pyc files, and its size."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.compare.catalog import OURS, Peer
from benchmarks.compare.processes import CompareError
from local.cloud.common.unpack import unpack

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "compare"
ARTIFACT, UNPACKED = BUILD / "artifact", BUILD / "unpacked"
MODULES = Path(__file__).with_name("peers")
DEPLOYED = {"botocore", "chalice", "dateutil", "jmespath", "six.py", "urllib3"}
DEPLOYED_OF_CHALICE = {"__init__.py", "app.py"}
"""What Chalice deploys of all that its command line tool needs: the app's requirements and two of its own modules.

https://github.com/aws/chalice/blob/master/chalice/deploy/packager.py
"""


@dataclass(frozen=True)
class Package:
    """The root of the deployed code; sizes are in MB."""

    folder: Path
    zipped: float
    unpacked: float


@cache
def clean_python() -> Path:
    """A Python without packages, like the one that Lambda and Cloud Run give to the code."""
    folder = BUILD / "python"
    venv.EnvBuilder(symlinks=True, clear=True).create(folder)
    return folder / "bin" / "python3"


def package(peer: Peer) -> Package:
    """The peer's package, installed if the lock has changed since. Raises CompareError."""
    if peer.group == OURS:
        archive = ARTIFACT / ("app.zip" if peer.platform == "lambda" else "app.tar.gz")
        return _sized(unpack(archive.read_bytes(), UNPACKED), ARTIFACT / "app.zip")
    folder = _installed(peer.group, peer.compiled)
    module = folder / f"{peer.module}.py"
    shutil.copyfile(MODULES / module.name, module)
    if peer.compiled:
        _compile(module)
    return _sized(folder, folder.with_suffix(".zip"))


def _installed(group: str, compiled: bool) -> Path:
    """The folder with the group's packages and, beside it, its zip."""
    lock = (ROOT / "benchmarks" / "uv.lock").read_bytes()
    inputs = hashlib.sha256(lock + Path(__file__).read_bytes() + sys.version.encode()).hexdigest()[:16]
    name = group or "nothing"
    folder = BUILD / "peers" / inputs / (f"{name}-pyc" if compiled else name)
    if folder.exists():
        return folder
    for old in set((BUILD / "peers").glob("*")) - {folder.parent}:
        shutil.rmtree(old)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as unfinished:
        tree = Path(unfinished, name)
        tree.mkdir()
        if group:
            _install(group, tree)
        if compiled:
            _compile(tree)
        _zip(tree, folder.with_suffix(".zip"))
        tree.rename(folder)
    return folder


def _install(group: str, tree: Path) -> None:
    uv, requirements = os.environ["UV"], tree.with_suffix(".txt")
    project = ["--project", str(ROOT / "benchmarks"), "--only-group", group, "--no-emit-project"]
    _run([uv, "export", "--quiet", "--locked", *project, "--output-file", str(requirements)])
    target = ["--python", sys.executable, "--target", str(tree), "--requirement", str(requirements)]
    _run([uv, "pip", "install", "--quiet", "--no-build", "--require-hashes", *target])
    shutil.rmtree(tree / "bin", ignore_errors=True)
    (tree / ".lock").unlink(missing_ok=True)
    if group == "chalice":
        _keep(tree, DEPLOYED)
        _keep(tree / "chalice", DEPLOYED_OF_CHALICE)


def _keep(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in names:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _compile(path: Path) -> None:
    """Like the artifact's files: valid whatever the times are, in a zip too (PEP 552)."""
    options = ["-q", "-j", "0", "-o", "0", "--invalidation-mode", "unchecked-hash"]
    _run([sys.executable, "-I", "-W", "ignore", "-m", "compileall", *options, str(path)])


def _run(command: list[str]) -> None:
    environment = os.environ | {"UV_COMPILE_BYTECODE": "0"}
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    except subprocess.CalledProcessError as error:
        reason = " ".join((error.stderr or error.stdout).split())
        raise CompareError(f"`{' '.join(command[:3])}` failed: {reason}") from None


def _zip(tree: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(tree.rglob("*")):
            archive.write(path, path.relative_to(tree))


def _sized(folder: Path, archive: Path) -> Package:
    unpacked = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Package(folder, archive.stat().st_size / 2**20, unpacked / 2**20)
