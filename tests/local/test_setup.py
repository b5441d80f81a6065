"""The Makefile and local/cli set up whole or not at all, and pass paths and values on as they are."""

import errno
import os
import pwd
import shutil
import signal
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest

from local.cli import installation, tools
from local.cli.installation import ToolMissing, install
from local.cloud.gcp.firestore import java

ROOT = Path(__file__).parents[2]
PROJECTS = ("", "app/", "policy/", "pulumi_momento/")
SET_UP = ("--assume-old=setup", "--assume-old=deployment")
ODD = 'it\'s $HOME "here"'

CUT_OFF = """
import sys
import textwrap
from pathlib import Path
from local.cli.installation import install

def half(scratch: Path) -> None:
    (scratch / "result").mkdir()
    print("half", flush=True)
    sys.stdin.read()

install("tool", "Making the tool", half)
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (installation, java):
        monkeypatch.setattr(module, "CACHE", tmp_path / "better-together")
    return installation.CACHE


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What make needs until it installs something, and a Python that prints its surroundings and arguments."""
    folder = tmp_path / ODD
    for name in (
        *("Makefile", ".python-version", "local/cli/uv.txt"),
        *(f"{project}{name}" for project in PROJECTS for name in ("pyproject.toml", "uv.lock")),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    python = folder / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$UV" "$HOME" "$@"\n')
    python.chmod(0o755)
    return folder


def make(checkout: Path, *arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    of_make = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}  # when make runs the tests
    environ = {n: v for n, v in (os.environ | environment).items() if v is not None and n not in of_make}
    return subprocess.run(["make", *arguments], cwd=checkout, env=environ, capture_output=True, text=True, timeout=120)


def run(checkout: Path, *arguments: str, **environment: str | None) -> list[str]:
    result = make(checkout, *SET_UP, "PYTHON=./python", *arguments, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_values_are_arguments_and_never_shell_code(checkout: Path) -> None:
    evil = """a'"; touch pwned; `touch pwned` #"""
    up = run(checkout, "up", "STACK=aws -x *", f"AUTH={evil}", f"ROLLOUT={evil}", f"ARTIFACT={evil}", "REFRESH=1")
    options = [f"--auth={evil}", "--refresh", f"--rollout={evil}", f"--artifact={evil}"]
    assert up[2:] == ["-m", "local", "up", *options, "--", "aws", "-x", "*"]
    assert run(checkout, "up")[2:] == ["-m", "local", "up", "--"]
    assert run(checkout, "dev", f"PORT={evil}")[2:] == ["-m", "local", "dev", f"--port={evil}", "--"]
    assert run(checkout, "dev", f"STACK={evil}")[2:] == ["-m", "local", "dev", "--", evil]
    destroy = run(checkout, "destroy", "STACK=* aws", "VERBOSE=1")
    assert destroy[2:] == ["-m", "local", "destroy", "--verbose", "--", "*", "aws"]
    check = run(checkout, "check", f"STACK={evil}", f"URL={evil}", "WRITE=1")
    assert check[2:] == ["-m", "ops", "check", "--stack", evil, "--url", evil, "--write"]
    preview = run(checkout, "preview", f"STACK={evil}", f"ARTIFACT={evil}")
    assert preview[2:] == ["-m", "local", "preview", f"--artifact={evil}", "--", evil]
    assert run(checkout, "token", f"USER={evil}", "ADMIN=1")[2:] == ["-m", "local", "token", "--admin", "--", evil]
    assert not (checkout / "pwned").exists()


def test_a_missing_value_is_one_line(checkout: Path) -> None:
    for target, wanted in (
        ("preview", "name the stack: make preview STACK=aws"),
        ("destroy", "name the stack: make destroy STACK=aws"),
        ("token", "name the user: make token USER=1"),
    ):
        result = make(checkout, "--assume-old=setup", target, STACK=None)
        assert result.returncode == 2
        assert [line.partition("*** ")[2] for line in result.stderr.splitlines()] == [f"{wanted}.  Stop."]


def test_paths_may_hold_anything(checkout: Path) -> None:
    home = str(checkout / "home")
    assert run(checkout, "outputs", HOME=home)[:2] == [f"{checkout}/build/uv/bin/uv", home]


def test_the_engine_finds_uv_where_there_is_no_other(checkout: Path) -> None:
    """Pulumi's language host for Python looks for it on PATH."""
    (checkout / "python").write_text("#!/bin/sh\ncommand -v uv\n")
    ours, another = checkout / "build" / "uv" / "bin" / "uv", checkout / "bin" / "uv"
    for uv in (ours, another):
        uv.parent.mkdir(parents=True)
        uv.touch(0o755)
    assert run(checkout, "status", "STACK=aws", PATH="/usr/bin:/bin") == [str(ours)]
    assert run(checkout, "status", "STACK=aws", PATH=f"{another.parent}:/usr/bin:/bin") == [str(another)]


def test_without_home_it_is_the_users_own(checkout: Path) -> None:
    for home in (None, ""):
        assert run(checkout, "outputs", HOME=home)[1] == pwd.getpwuid(os.getuid()).pw_dir


@pytest.mark.parametrize(
    ("command", "output", "named"),
    [
        ("uname", "Darwin arm64", "Darwin arm64 with glibc"),
        ("uname", "Linux aarch64", "Linux aarch64 with glibc"),
        ("getconf", "glibc 2.17", "with glibc 2.17"),
        ("getconf", "", "with another libc than glibc"),
    ],
)
def test_another_platform_is_one_line_before_anything_is_installed(
    checkout: Path, tmp_path: Path, command: str, output: str, named: str
) -> None:
    fake = tmp_path / "bin" / command
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\nprintf %s "{output}"\n[ -n "{output}" ]\n')
    fake.chmod(0o755)
    path = f"{fake.parent}:{os.environ['PATH']}"
    result = make(checkout, "up", PATH=path)
    said, stopped = result.stderr.splitlines()
    assert named in said
    assert said.endswith(": use Linux on x86-64 with glibc 2.28 or newer; WSL 2 and the dev container work")
    assert stopped.startswith("make: ***")
    assert not (checkout / "build").exists()
    assert "up            bring stacks" in make(checkout, "help", PATH=path).stdout


@pytest.mark.parametrize("command", ["setup-deploy", "check", "promote", "status", "artifact"])
def test_a_deployment_installs_nothing_of_the_laptops_clouds(checkout: Path, command: str) -> None:
    uv = checkout / "uv"
    uv.write_text(
        textwrap.dedent("""\
        #!/bin/sh
        [ "$1" = sync ] || exit 1
        while [ "$1" != --project ]; do shift; done
        mkdir -p "$2/.venv" && echo "$2" >> synced
        """)
    )
    uv.chmod(0o755)
    variables = ["STACK=aws", "FROM=aws", "TO=aws-prod"]
    result = make(checkout, "UV=./uv", "PYTHON=./python", "--assume-old=build/python", command, *variables)
    assert result.returncode == 0, result.stderr
    assert set((checkout / "synced").read_text().split()) == {"./", "policy/", "pulumi_momento/"}
    assert not (checkout / "build").exists()
    if command == "setup-deploy":
        assert result.stdout.splitlines()[2:] == ["-m", "local.cli.tools", "deploy"]


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        (
            None,
            "pulumi is missing: install the Pulumi CLI, {} or newer (https://www.pulumi.com/docs/iac/download-install/)",
        ),
        (
            "#!/bin/sh\necho v3.100.0",
            "pulumi on PATH is 3.100.0: install the Pulumi CLI, {} or newer (https://www.pulumi.com/docs/iac/",
        ),
        ("#!/bin/sh\necho hello", "pulumi on PATH is of no known version: install the Pulumi CLI, {} or newer"),
        ("#!/bin/sh\nexit 1", "pulumi on PATH does not run: install the Pulumi CLI, {} or newer"),
        ("of another processor", "pulumi on PATH does not run: install the Pulumi CLI, {} or newer"),
        ("#!/bin/sh\necho v99.0.0", ""),
    ],
)
def test_a_deployment_needs_the_official_cli(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path, program: str | None, problem: str
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    if program:
        (tmp_path / "pulumi").write_text(program)
        (tmp_path / "pulumi").chmod(0o755)
    if problem:
        with pytest.raises(SystemExit) as stopped:
            tools.main(["deploy"])
        assert str(stopped.value).startswith(problem.format(tools.PULUMI_VERSION))
    else:
        tools.main(["deploy"])
    assert not cache.exists(), "it builds no CLI"


def test_a_cli_that_does_not_run_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a version manager's launcher that has no version to run."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "pulumi").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "pulumi").chmod(0o755)
    built = cache / f"pulumi-{tools.PULUMI_VERSION}"
    built.mkdir(parents=True)
    assert tools.pulumi.__wrapped__().command == str(built / "bin" / "pulumi")
    said = f"pulumi on PATH does not run: leaving it alone and using {tools.PULUMI_VERSION}\n"
    assert capsys.readouterr().err == said


def test_an_environment_that_was_cut_off_is_made_anew(checkout: Path) -> None:
    uv = checkout / "uv"
    uv.write_text(
        textwrap.dedent("""\
        #!/bin/sh
        [ ! -e app/.venv/half ] || { echo "half a package is taken for whole" >&2; exit 1; }
        mkdir -p app/.venv
        [ -e network ] || { touch app/.venv/half; kill -9 $$; }
        """)
    )
    uv.chmod(0o755)
    for _ in ("first installed", "then updated"):
        for connected, returned in ((False, 2), (True, 0)):
            (checkout / "network").touch() if connected else (checkout / "network").unlink(missing_ok=True)
            result = make(checkout, "UV=./uv", "--assume-old=build/python", "--what-if=app/uv.lock", "app/.venv/ready")
            assert result.returncode == returned, result.stderr
            assert (checkout / "app" / ".venv" / "ready").exists() == connected


def test_what_was_cut_off_is_made_anew(cache: Path) -> None:
    command = [sys.executable, "-c", CUT_OFF]
    environ = os.environ | {"XDG_CACHE_HOME": str(cache.parent)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    assert not (cache / "tool").exists()

    def whole(scratch: Path) -> None:
        (scratch / "result").write_text("whole")

    install("tool", "Making the tool", whole)
    assert (cache / "tool").read_text() == "whole"
    assert [path.name for path in cache.glob("unfinished-*")] == []


def test_a_cache_that_cannot_be_written_is_one_line(cache: Path) -> None:
    def full(scratch: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(scratch / "result"))

    with pytest.raises(ToolMissing, match=r"^/.*/result: No space left on device: free it, or set XDG_CACHE_HOME$"):
        install("tool", "Making the tool", full)
    assert [path.name for path in cache.iterdir()] == [".lock"]

    shutil.rmtree(cache)
    cache.write_text("in the way")
    with pytest.raises(ToolMissing, match=r"^/.*/better-together: File exists: free it, or set XDG_CACHE_HOME$"):
        install("tool", "Making the tool", full)


@pytest.fixture
def emulator_of_a_broken_java(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulator, a Java that ends at once and counts its starts, and a CLI in the cache."""
    jar, gcloud, broken = tmp_path / java.JAR, tmp_path / "bin" / "gcloud", tmp_path / "bin" / "java"
    for file in (jar, gcloud, broken):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\necho started >> '{tmp_path}/starts'\necho Unrecognized VM option\nexit 1\n")
        file.chmod(0o700)
    (tmp_path / "release").touch()  # of every Java
    monkeypatch.setenv("PATH", f"{broken.parent}:/bin")
    monkeypatch.setattr("shutil.which", partial(shutil.which, path=str(broken.parent)))
    (cache / f"pulumi-{tools.PULUMI_VERSION}").mkdir(parents=True)


@pytest.mark.usefixtures("emulator_of_a_broken_java")
def test_an_archive_that_cannot_be_made_is_one_line_once(
    cache: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tools.main([])
    begun, failed, _ = capfd.readouterr().err.splitlines()
    assert begun == "Archiving the classes of Firestore's emulator, once ..."
    [folder] = cache.glob("firestore-emulator-*")
    assert failed == f"Firestore's emulator starts slower: see {folder}/log, and delete that folder to try again"
    assert "Unrecognized VM option" in (folder / "log").read_text()
    tools.main([])
    assert capfd.readouterr().err == ""
    assert (tmp_path / "starts").read_text() == "started\n"


@pytest.mark.usefixtures("emulator_of_a_broken_java")
def test_a_cache_that_takes_no_archive_is_one_line(cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (cache / ".lock").mkdir()
    tools.main([])
    problem = f"{cache}/.lock: Is a directory: free it, or set XDG_CACHE_HOME"
    assert capfd.readouterr().err == f"Firestore's emulator starts slower: {problem}\n"
