"""Builds of the app, each in a copy of the checkout of its own."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INSTALLED = ("app/.venv", "policy/.venv", "pulumi_momento/.venv", "build/lambda-runtime", "build/packages")
FIRST = "first"
"""What runs before; as good as `good`, which can be promoted over it."""
BAD = ("errors", "writes", "dead", "slow", "late")
BUILDS = ("good", *BAD)
CREATED = "    app = create_app_from_environ()\n"
ENTRY_POINTS = ("aws_lambda.py", "wsgi.py")


def checkout(folder: Path, build: str) -> Path:
    """A copy of this checkout with that build of the app, below the folder."""
    copy = folder / build
    copy_checkout(copy, *INSTALLED)
    fault = Path(__file__).with_name("fault.py").read_text()
    (copy / "app" / "fault.py").write_text(_replaced(fault, 'BUILD: str = "good"', f'BUILD: str = "{build}"'))
    for name in ENTRY_POINTS:
        path = copy / "app" / name
        installed = f"    from app import fault\n\n{CREATED}    fault.install(app)\n"
        path.write_text(_replaced(path.read_text(), CREATED, installed))
    return copy


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"{old.strip()!r} is not there once")
    return text.replace(old, new)


def copy_installed(target: Path) -> None:
    """Copies this checkout so that `make` installs nothing in the copy. What it builds there is the copy's own."""
    copy_checkout(target, ".venv", "build/uv", *INSTALLED)
    shutil.copy2(ROOT / "build" / "python", target / "build" / "python")


def copy_checkout(target: Path, *shared: str) -> None:
    """Copies this checkout without what git ignores; `shared` are ignored folders that the copy links to."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for source in filter(Path.is_file, (ROOT / name for name in names)):
        copy = target / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
        os.utime(copy, (0, 0))  # older than every environment, so that make does not install into a shared one
    for folder in shared:
        (ROOT / folder).mkdir(parents=True, exist_ok=True)
        (target / folder).parent.mkdir(exist_ok=True)
        (target / folder).symlink_to(ROOT / folder)
