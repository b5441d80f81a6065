"""Finds the tools that no Python package brings, and fetches them once into the user's cache folder.

`python -m local.tools` gets the Pulumi CLI; `python -m local.tools test` also DynamoDB Local, which only tests need.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from pulumi.automation import PulumiCommand
from semver import VersionInfo

PULUMI_VERSION = VersionInfo.parse("3.259.0")
PULUMI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "better-together"
DYNAMODB_LOCAL = CACHE / "dynamodb-local-3.1.0"
HERE = Path(__file__).parent


class ToolMissing(Exception):
    """A tool that the laptop must bring is not there; the message says which and how to install it."""


@cache
def pulumi() -> PulumiCommand:
    """The Pulumi CLI: the one on PATH, else the official installer's, else one built from its Go module."""
    if shutil.which("pulumi"):
        on_path = PulumiCommand(skip_version_check=True)
        if on_path.version and on_path.version >= PULUMI_VERSION:
            return on_path
        say(f"pulumi {on_path.version} on PATH is older than {PULUMI_VERSION}: leaving it alone and using another")
    root = CACHE / f"pulumi-{PULUMI_VERSION}"
    if not (root / "bin" / "pulumi").exists():
        with_progress(f"Installing the Pulumi CLI {PULUMI_VERSION}", lambda: _install_pulumi(root))
    return PulumiCommand(root=str(root), version=PULUMI_VERSION)


def _install_pulumi(root: Path) -> None:
    try:
        PulumiCommand.install(root=str(root), version=PULUMI_VERSION)
    except (OSError, subprocess.CalledProcessError):
        say("  its official installer cannot be reached: building it from its Go module, about 3 minutes, once")
        _build_pulumi(root)


def _build_pulumi(root: Path) -> None:
    require("go", "Go 1.26 or newer (https://go.dev/doc/install)")
    modules = CACHE / "go-modules"
    unfinished = CACHE / f"pulumi.{os.getpid()}"
    command = ["go", "build", "-trimpath", "-modcacherw", "-ldflags", _version_flag(), "-o", unfinished, PULUMI_PACKAGE]
    run(command, HERE / "pulumi_cli", {"GOMODCACHE": str(modules), "GOCACHE": str(CACHE / "go-build"), "GOFLAGS": ""})
    (root / "bin").mkdir(parents=True, exist_ok=True)
    unfinished.rename(root / "bin" / "pulumi")
    shutil.rmtree(modules)
    shutil.rmtree(CACHE / "go-build")


def _version_flag() -> str:
    return f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}"


def dynamodb_local() -> Path:
    """The folder of AWS's own DynamoDB Local: jars and native libraries."""
    if not DYNAMODB_LOCAL.exists():
        require("java", "a Java 17 runtime, e.g. apt-get install openjdk-17-jre-headless")
        require("mvn", "Maven, e.g. apt-get install maven")
        with_progress("Fetching DynamoDB Local with Maven", _fetch_dynamodb_local)
    return DYNAMODB_LOCAL


def _fetch_dynamodb_local() -> None:
    unfinished = CACHE / f"dynamodb-local.{os.getpid()}"
    repository = CACHE / "maven"
    output = ["-q", "-B", f"-Dmaven.repo.local={repository}", f"-DoutputDirectory={unfinished}"]
    run(["mvn", *output, "dependency:copy-dependencies"], HERE / "dynamodb_local")
    unfinished.rename(DYNAMODB_LOCAL)
    shutil.rmtree(repository)


def require(command: str, how: str) -> None:
    if not shutil.which(command):
        raise ToolMissing(f"{command} is missing: install {how}")


def run(command: list[str | Path], cwd: Path, env: dict[str, str] | None = None) -> None:
    result = subprocess.run(
        command, cwd=cwd, env=os.environ | (env or {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode:
        last_line = (result.stdout.strip().splitlines() or ["no output"])[-1]
        raise ToolMissing(f"{' '.join(map(str, command[:2]))} failed: {last_line}")


def with_progress(what: str, work: Callable[[], None], beat: float = 15) -> None:
    """Does the work and says every `beat` seconds that it still goes on."""
    say(f"{what} ...")
    started = time.monotonic()
    done = threading.Event()

    def heartbeat() -> None:
        while not done.wait(beat):
            say(f"  {what}: {time.monotonic() - started:.0f} s")

    threading.Thread(target=heartbeat, daemon=True).start()
    try:
        work()
    finally:
        done.set()
    say(f"{what}: done in {time.monotonic() - started:.0f} s")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> None:
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        pulumi()
    except ToolMissing as missing:
        sys.exit(str(missing))
    if "test" in arguments:
        try:
            dynamodb_local()
        except ToolMissing as missing:
            say(f"tests on DynamoDB Local will be skipped: {missing}")


if __name__ == "__main__":
    main(sys.argv[1:])
