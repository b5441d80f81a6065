"""Stand-ins for the provider plugins of aws and gcp: the engine's own protocol in front, the laptop's clouds behind."""

import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("aws", "gcp")


def install(pulumi_home: Path) -> None:
    """Puts both plugins where the engine looks first, as the versions that the installed SDKs ask for.

    A folder `plugins/resource-aws-v7.51.1` that holds the executable `pulumi-resource-aws` is a complete plugin: the
    engine downloads nothing (https://www.pulumi.com/docs/iac/concepts/plugins/).
    """
    for package in PACKAGES:
        folder = pulumi_home / "plugins" / f"resource-{package}-v{version(f'pulumi-{package}')}"
        folder.mkdir(parents=True, exist_ok=True)
        executable = folder / f"pulumi-resource-{package}"
        executable.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m local.providers.{package} "$@"\n'
        )
        executable.chmod(0o755)
