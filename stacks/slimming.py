"""Leaves out of the installed packages what the app does not need at run time."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

# The services that the app calls, of all that botocore describes, by folder.
AWS_SERVICES = {"dynamodb", "ssm", "sts"}
SUPERFLUOUS_DIRECTORIES = {"test", "tests", "__pycache__"}
SUPERFLUOUS_SUFFIXES = {".pyi", ".pyx", ".pxd", ".c", ".cc", ".h", ".proto"}
# Files that differ between machines (RECORD, direct_url.json), or that nothing reads at run time.
SUPERFLUOUS_FILES = {"py.typed", "RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "zip-safe"}


def slim(tree: Path) -> None:
    """Delete it from the folder into which they were installed."""
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
