"""The app's part of the artifact: the files that are deployed, compiled."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

NOT_DEPLOYED = {"pyproject.toml", "uv.lock", "pyrightconfig.json", "tests", "__pycache__"}


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
    compile_tree(tree, tree / "app", processes=1)  # starting more takes longer than compiling so few files


def compile_tree(tree: Path, folder: Path, *options: str, processes: int = 0) -> None:
    """Compile a folder of the tree to unchecked hash-based .pyc files (PEP 552), valid whatever the files' times are.

    In a clean interpreter, so that the bytes do not depend on what this one has loaded. 0 processes are one for each
    processor.
    """
    fixed = ["-q", "-j", str(processes), "-o", "0", "--invalidation-mode", "unchecked-hash", "-s", str(tree)]
    command = [sys.executable, "-I", "-W", "ignore", "-m", "compileall", *fixed, *options, str(folder)]
    run(command, TMPDIR="/tmp")  # its processes meet at a socket there, whose path may have 107 bytes (unix(7))


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Create the folder if necessary, and keep other builds out of it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: list[str], **variables: str) -> None:
    """Run the command with these variables as well. Raise ArtifactError with what it says if it fails."""
    try:
        # Bytecode is compiled at the end, so uv must not compile it, even if the environment asks it to.
        environ = os.environ | {"UV_COMPILE_BYTECODE": "0"} | variables
        subprocess.run(command, check=True, capture_output=True, text=True, env=environ)
    except FileNotFoundError:
        raise ArtifactError(f"artifact: no such command: {command[0]}; set UV to uv's path") from None
    except subprocess.CalledProcessError as error:
        reason = " ".join((error.stderr or error.stdout).split())
        raise ArtifactError(f"artifact: `{' '.join(command[:3])}` failed: {reason}") from None
