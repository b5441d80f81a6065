"""Fake provider plugins for aws and gcp, which speak the engine's protocol and use the laptop's clouds."""

import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("aws", "gcp")


def install(pulumi_home: Path) -> None:
    """Puts both plugins where the engine looks first, in the versions that the installed SDKs require.

    A folder `plugins/resource-aws-v7.51.1` that holds the executable `pulumi-resource-aws` is a complete plugin: the
    engine downloads nothing (https://www.pulumi.com/docs/iac/concepts/plugins/).
    """
    for package in PACKAGES:
        folder = f"resource-{package}-v{version(f'pulumi-{package}')}"
        command = shlex.join([sys.executable, "-m", "local.providers.parent", f"local.providers.{package}"])
        write_script(
            pulumi_home / "plugins" / folder / f"pulumi-resource-{package}",
            f'#!/bin/sh\nexport PYTHONPATH={shlex.quote(str(ROOT))}\nexec {command} "$@"\n',
        )


def write_script(path: Path, text: str) -> None:
    """Writes an executable atomically, since another command may run or write the same file meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, delete_on_close=False) as unfinished:
        unfinished.write(text)
        unfinished.close()
        Path(unfinished.name).chmod(0o700)
        Path(unfinished.name).rename(path)
