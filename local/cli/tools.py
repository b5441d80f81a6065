"""Finds the tools that no Python package provides, and installs them once into the user's cache folder.

`python -m local.cli.tools` gets the Pulumi CLI, and an archive with which Google's Firestore emulator starts sooner;
`python -m local.cli.tools test` also gets DynamoDB Local, which only tests need. `python -m local.cli.tools deploy`
gets nothing: deployments run the official CLI, which must be on PATH. `python -m local.cli.tools lint` gets actionlint,
and prints its path.
"""

import os
import shutil
import signal
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during an import would print a traceback

from semver import VersionInfo

from local.cli.home import APP_PYTHON, ROOT
from local.cli.installation import ToolMissing, install, require, run
from local.cloud.gcp.firestore.java import class_archive, emulator_jar, is_one_java
from ops.terminal import say_aside

if TYPE_CHECKING:
    from pulumi.automation import PulumiCommand

PULUMI_VERSION = VersionInfo.parse("3.274.1")
PULUMI_DOWNLOADS = "https://www.pulumi.com/docs/iac/download-install/"
PULUMI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
ACTIONLINT_VERSION = "1.7.12"
ACTIONLINT_PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"
# A quarter of the compiler's time: it collects no garbage below the limit, which none of its processes reaches.
NO_DEBUG_INFO = ("-gcflags=all=-dwarf=false",)
NO_GARBAGE = {"GOGC": "off", "GOMEMLIMIT": "2GiB"}
HERE = Path(__file__).parent


@cache
def pulumi() -> "PulumiCommand":
    """The Pulumi CLI: the one on PATH if it is new enough, else one built from its Go module."""
    from pulumi.automation import PulumiCommand  # late, since it takes a second and Ctrl-C would print a traceback

    class Built(PulumiCommand):
        """Knows its version, which others are asked for, in a quarter of a second."""

        def __init__(self, command: Path) -> None:
            self.command, self.version = str(command), PULUMI_VERSION

    if shutil.which("pulumi"):
        try:
            return _on_path()
        except ToolMissing as reason:
            say_aside(f"{reason}: leaving it alone and using {PULUMI_VERSION}")
    return Built(_built_pulumi())


def _on_path() -> "PulumiCommand":
    """The Pulumi CLI on PATH. Raises ToolMissing, which says what it is, unless it runs and is new enough."""
    from pulumi.automation import PulumiCommand

    try:
        found = PulumiCommand(skip_version_check=True)
    except (OSError, subprocess.CalledProcessError, ValueError):  # such as a version manager's shim without a version
        raise ToolMissing("pulumi on PATH does not run") from None
    if not (found.version and found.version >= PULUMI_VERSION):
        raise ToolMissing(f"pulumi on PATH is {found.version or 'of no known version'}")
    return found


def _built_pulumi() -> Path:
    what = f"Building the Pulumi CLI {PULUMI_VERSION}, about 3 minutes, once"
    version = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}"
    root = install(f"pulumi-{PULUMI_VERSION}", what, partial(_build_go, "pulumi_cli", PULUMI_PACKAGE, version))
    return root / "bin" / "pulumi"


def require_official_pulumi() -> None:
    """Raises ToolMissing unless a Pulumi CLI that is new enough is on PATH."""
    how = f"the Pulumi CLI, {PULUMI_VERSION} or newer ({PULUMI_DOWNLOADS})"
    require("pulumi", how)
    try:
        _on_path()
    except ToolMissing as reason:
        raise ToolMissing(f"{reason}: install {how}") from None


def actionlint() -> Path:
    """The linter of GitHub Actions workflows, built from its Go module."""
    build = partial(_build_go, "actionlint", ACTIONLINT_PACKAGE, "")
    root = install(f"actionlint-{ACTIONLINT_VERSION}", f"Building actionlint {ACTIONLINT_VERSION}, once", build)
    return root / "bin" / "actionlint"


def _build_go(folder: str, package: str, linker_flags: str, scratch: Path) -> None:
    """Builds `package` with the Go compiler that uv.lock pins, from the sources that go.sum in `folder` pins."""
    uv = os.environ.get("UV", "uv")
    require(uv, "uv (https://docs.astral.sh/uv/), or run `make setup`, which brings it")
    go = [uv, "run", "--quiet", "--isolated", "--locked", "--only-group", "go", "go"]
    output = ["-o", f"{scratch}/result/bin/"]
    build = ["build", "-trimpath", "-modcacherw", *NO_DEBUG_INFO, "-ldflags", f"-s -w {linker_flags}", *output, package]
    folders = {"GOMODCACHE": str(scratch / "modules"), "GOCACHE": str(scratch / "build")}
    run([*go, *build], HERE / folder, folders | NO_GARBAGE | {"GOFLAGS": "", "GOTOOLCHAIN": "local"})


def dynamodb_local() -> Path:
    """The folder of AWS's DynamoDB Local: jars and native libraries."""
    return install("dynamodb-local-3.1.0", "Fetching DynamoDB Local with Maven", _fetch_dynamodb_local)


def _fetch_dynamodb_local(scratch: Path) -> None:
    require("java", "a Java 17 runtime, e.g. apt-get install openjdk-17-jre-headless")
    require("mvn", "Maven, e.g. apt-get install maven")
    output = [f"-Dmaven.repo.local={scratch / 'repository'}", f"-DoutputDirectory={scratch / 'result'}"]
    run(["mvn", "-q", "-B", *output, "dependency:copy-dependencies"], HERE / "dynamodb_local")


def _dynamodb_local_for_tests() -> None:
    try:
        dynamodb_local()
    except ToolMissing as missing:
        say_aside(f"tests on DynamoDB Local will be skipped: {missing}")


def _archive_firestore_classes() -> None:
    """Halves the work with which Google's Firestore emulator starts, if it is installed. It also runs without."""
    if (jar := emulator_jar()) and is_one_java():
        folder = class_archive(jar).parent
        what = "Archiving the classes of Firestore's emulator, once"
        try:
            install(folder.name, what, partial(_run_archiver, jar, folder))
        except ToolMissing as missing:
            say_aside(f"Firestore's emulator starts slower: {missing}")


def _run_archiver(jar: Path, folder: Path, scratch: Path) -> None:
    """Leaves only the log in the cache if it fails, so that no other command fails at it again."""
    result = scratch / "result"
    result.mkdir()
    command = [APP_PYTHON, "-m", "local.cloud.gcp.firestore.class_archive", jar, result]
    with (result / "log").open("a") as log:
        failed = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True).returncode
    if failed:
        say_aside(f"Firestore's emulator starts slower: see {folder}/log, and delete that folder to try again")


def main(arguments: list[str]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # also end what runs in a session of its own
        signal.signal(number, signal.default_int_handler)
    try:
        match arguments:
            case ["deploy"]:
                require_official_pulumi()
            case ["lint"]:
                print(actionlint())
            case _:
                if shutil.which("pulumi"):
                    pulumi()
                else:
                    _built_pulumi()  # without Pulumi's SDK, which takes a third of a second
                _archive_firestore_classes()
                if "test" in arguments:
                    _dynamodb_local_for_tests()
    except ToolMissing as missing:
        sys.exit(str(missing))
    except KeyboardInterrupt:
        sys.exit("interrupted")


if __name__ == "__main__":
    main(sys.argv[1:])
