"""Finds the tools that no Python package provides, and installs them once into the user's cache folder.

`python -m local.cli.tools` gets the Pulumi CLI; `python -m local.cli.tools test` also gets DynamoDB Local, which only
tests need. `python -m local.cli.tools deploy` gets nothing: deployments run the official CLI, which must be on PATH.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during an import would print a traceback

from semver import VersionInfo

if TYPE_CHECKING:
    from pulumi.automation import PulumiCommand

PULUMI_VERSION = VersionInfo.parse("3.274.1")
PULUMI_DOWNLOADS = "https://www.pulumi.com/docs/iac/download-install/"
PULUMI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "better-together"
DYNAMODB_LOCAL = CACHE / "dynamodb-local-3.1.0"
HERE = Path(__file__).parent


class ToolMissing(Exception):
    """A tool is missing. The message names it and says how to install it."""


@cache
def pulumi() -> "PulumiCommand":
    """The Pulumi CLI: the one on PATH if it is new enough, else one built from its Go module."""
    from pulumi.automation import PulumiCommand  # late, since it takes a second and Ctrl-C would print a traceback

    if shutil.which("pulumi"):
        on_path = PulumiCommand(skip_version_check=True)
        if on_path.version and on_path.version >= PULUMI_VERSION:
            return on_path
        say(f"pulumi {on_path.version} on PATH is older than {PULUMI_VERSION}: leaving it alone and using another")
    root = CACHE / f"pulumi-{PULUMI_VERSION}"
    install(root, f"Building the Pulumi CLI {PULUMI_VERSION}, about 3 minutes, once", _build_pulumi)
    return PulumiCommand(root=str(root), version=PULUMI_VERSION)


def require_official_pulumi() -> None:
    """Raises ToolMissing unless a Pulumi CLI that is new enough is on PATH."""
    from pulumi.automation import PulumiCommand

    how = f"the Pulumi CLI, {PULUMI_VERSION} or newer ({PULUMI_DOWNLOADS})"
    require("pulumi", how)
    version = PulumiCommand(skip_version_check=True).version
    if version and version < PULUMI_VERSION:
        raise ToolMissing(f"pulumi on PATH is {version}: install {how}")


def _build_pulumi(scratch: Path) -> None:
    """Builds it with the Go compiler that uv.lock pins, from the sources that go.sum pins."""
    uv = os.environ.get("UV", "uv")
    require(uv, "uv (https://docs.astral.sh/uv/), or run `make setup`, which brings it")
    go = [uv, "run", "--quiet", "--isolated", "--locked", "--only-group", "go", "go"]
    version = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}"
    output = ["-o", scratch / "result" / "bin" / "pulumi"]
    build = ["build", "-trimpath", "-modcacherw", "-ldflags", f"-s -w {version}", *output, PULUMI_PACKAGE]
    folders = {"GOMODCACHE": str(scratch / "modules"), "GOCACHE": str(scratch / "build")}
    run([*go, *build], HERE / "pulumi_cli", folders | {"GOFLAGS": "", "GOTOOLCHAIN": "local"})


def dynamodb_local() -> Path:
    """The folder of AWS's DynamoDB Local: jars and native libraries."""
    if not DYNAMODB_LOCAL.exists():
        require("java", "a Java 17 runtime, e.g. apt-get install openjdk-17-jre-headless")
        require("mvn", "Maven, e.g. apt-get install maven")
    install(DYNAMODB_LOCAL, "Fetching DynamoDB Local with Maven", _fetch_dynamodb_local)
    return DYNAMODB_LOCAL


def _fetch_dynamodb_local(scratch: Path) -> None:
    output = [f"-Dmaven.repo.local={scratch / 'repository'}", f"-DoutputDirectory={scratch / 'result'}"]
    run(["mvn", "-q", "-B", *output, "dependency:copy-dependencies"], HERE / "dynamodb_local")


def install(target: Path, what: str, make: Callable[[Path], None]) -> None:
    """Makes `target` once and atomically: calls `make` with a folder, and moves `result` from there to `target`."""
    if target.exists():
        return
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if target.exists():
                return
            for left_over in CACHE.glob("unfinished-*/"):
                shutil.rmtree(left_over)
            with tempfile.TemporaryDirectory(prefix="unfinished-", dir=CACHE, ignore_cleanup_errors=True) as scratch:
                with_progress(what, lambda: make(Path(scratch)))
                Path(scratch, "result").rename(target)
    except OSError as error:
        raise ToolMissing(f"{error.filename or CACHE}: {error.strerror}: free it, or set XDG_CACHE_HOME") from None


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
    """Does the work, and prints its duration every `beat` seconds."""
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


def _dynamodb_local_for_tests() -> None:
    try:
        dynamodb_local()
    except ToolMissing as missing:
        say(f"tests on DynamoDB Local will be skipped: {missing}")


def main(arguments: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if "deploy" in arguments:
            require_official_pulumi()
        else:
            pulumi()
        if "test" in arguments:
            _dynamodb_local_for_tests()
    except ToolMissing as missing:
        sys.exit(str(missing))
    except KeyboardInterrupt:
        sys.exit("interrupted")


if __name__ == "__main__":
    main(sys.argv[1:])
