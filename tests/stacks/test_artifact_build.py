"""The artifact is built once, reproducibly, and completely or not at all."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import deflate
import pytest

from stacks import artifact as artifacts
from stacks import packages
from stacks.artifact import Artifact, ArtifactError, build

BUILD = "import pathlib, sys; from stacks.artifact import build; print(build(pathlib.Path(sys.argv[1])).digest)"


def checkout(root: Path, folder: Path) -> Path:
    folder.mkdir()
    for name in ("app", "stacks"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    return folder


def start(root: Path, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUILD, str(root)]
    return subprocess.Popen(command, cwd=root, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return output.strip()


@pytest.fixture
def small(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a fake `uv` that installs one tiny package at once, and logs it."""
    folder = checkout(root, tmp_path / "small")
    uv = tmp_path / "uv"
    uv.write_text(
        textwrap.dedent(f"""\
        #!/bin/sh
        [ "$1" = pip ] || exit 0
        echo installed >> {tmp_path}/log
        [ ! -p {tmp_path}/gate ] || read -r _ < {tmp_path}/gate
        while [ "$1" != --target ]; do shift; done
        cd "$2" && echo x = 1 > tiny.py && mkdir tiny-1.0.dist-info && cd tiny-1.0.dist-info
        printf 'tiny.py,,\\ntiny-1.0.dist-info/METADATA,,\\n' > RECORD
        printf 'Name: tiny\\nVersion: 1.0\\n' > METADATA
        """)
    )
    uv.chmod(0o755)
    (folder / "app" / "uv.lock").write_text('package = [{name = "tiny", wheels = []}]')
    monkeypatch.setenv("UV", str(uv))
    return folder


def installs(small: Path) -> int:
    log = small.parent / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_the_same_bytes_wherever_and_whenever_it_is_built(artifact: Artifact, root: Path, tmp_path: Path) -> None:
    elsewhere = checkout(root, tmp_path / "an other place")
    for path in elsewhere.rglob("*.py"):
        os.utime(path, (1e9, 1e9))
        path.chmod(0o600)
    surroundings = {"TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "2"}
    surroundings["UV_COMPILE_BYTECODE"] = "0" if os.environ.get("UV_COMPILE_BYTECODE") == "1" else "1"
    command = ["sh", "-c", 'umask 077; exec "$0" -c "$1" "$2"', sys.executable, BUILD, str(elsewhere)]
    subprocess.run(command, cwd=elsewhere, env={**os.environ, **surroundings}, check=True)
    again = build(elsewhere)
    assert again.zip.is_relative_to(elsewhere)
    assert again.digest == artifact.digest
    assert again.zip.read_bytes() == artifact.zip.read_bytes()
    assert again.tar.read_bytes() == artifact.tar.read_bytes()
    assert again.sbom.read_bytes() == artifact.sbom.read_bytes()


def test_it_is_built_once_until_an_input_changes(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(small)
    assert build(small) == first
    (small / "app" / "tests").mkdir()
    (small / "app" / "tests" / "test_it.py").write_text("")
    (small / "app" / ".env").write_text("SECRET=1")
    assert build(small) == first
    assert installs(small) == 1

    (small / "app" / "users.py").write_text("changed = True\n")
    changed = build(small)
    assert changed.digest != first.digest
    assert installs(small) == 1
    with (small / "app" / "uv.lock").open("a") as lock:
        lock.write("# changed\n")
    assert build(small).digest == changed.digest
    assert installs(small) == 2

    monkeypatch.setattr(deflate, "__version__", "another")
    assert build(small).digest == changed.digest
    assert len(list((small / "build" / "artifacts").glob("*/app.zip"))) == 4
    assert installs(small) == 3


def test_builds_at_the_same_time_share_one(small: Path) -> None:
    digests = {finish(process) for process in [start(small) for _ in range(3)]}
    assert len(digests) == 1
    assert installs(small) == 1


def test_it_is_built_wherever_temporary_files_are(small: Path, tmp_path: Path) -> None:
    (deep := tmp_path / ("x" * 100)).mkdir()
    assert finish(start(small, TMPDIR=str(deep)))


def test_an_interrupted_build_leaves_nothing_behind(small: Path) -> None:
    gate = small.parent / "gate"
    os.mkfifo(gate)
    process = start(small)
    with gate.open("w") as opened:  # opens when uv is in the midst of it
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not list((small / "build").rglob("artifact.json"))
        opened.write("go\n")
    gate.unlink()
    assert build(small).zip.exists()
    assert [path.name for path in (small / "build").rglob("unfinished-*")] == []
    assert installs(small) == 2


def test_the_folder_that_gets_the_archives_keeps_what_else_is_in_it(artifact: Artifact, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    artifacts.main([str(tmp_path)])
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "app.zip", "app.tar.gz", "sbom.cdx.json"}
    with pytest.raises(SystemExit, match=r"File exists: .*mine"):
        artifacts.main([str(tmp_path / "mine")])


@pytest.mark.prove
def test_old_builds_are_removed(small: Path) -> None:
    builds: list[Artifact] = []
    for number in range(artifacts.KEPT_BUILDS + 2):
        (small / "app" / "users.py").write_text(f"number = {number}\n")
        builds.append(build(small))
    assert [made.zip.exists() for made in builds] == [False] * 2 + [True] * artifacts.KEPT_BUILDS


def test_a_missing_uv_is_one_line(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV")
    monkeypatch.setenv("PATH", str(small))
    with pytest.raises(ArtifactError, match=r"^artifact: uv is missing: set UV to its path, or install it .*$"):
        build(small)
    monkeypatch.setenv("UV", str(small))
    with pytest.raises(ArtifactError, match=r"^artifact: \[Errno 13\] Permission denied: \S+$"):
        build(small)
    monkeypatch.setenv("UV", "/no/such/uv")
    with pytest.raises(ArtifactError, match=r"^artifact: no such command: /no/such/uv; set UV to uv's path$"):
        build(small)


def test_uv_says_why_in_one_line(root: Path, tmp_path: Path) -> None:
    folder = checkout(root, tmp_path / "broken")
    (folder / "app" / "uv.lock").write_text("nonsense")
    with pytest.raises(ArtifactError, match=r"^artifact: `\S+ export --quiet` failed: .*uv\.lock.*$"):
        build(folder)


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("MAX_ZIP_BYTES", r"app\.zip is 0\.\d MB, but Lambda's limit is 0\.0 MB: .*largest: app 0\.\d MB, tiny-1\.0 "),
        ("MAX_UNPACKED_BYTES", r"the unpacked artifact is 0\.\d MB, but Lambda's limit is 0\.0 MB"),
    ],
)
def test_an_artifact_larger_than_lambda_takes(
    small: Path, monkeypatch: pytest.MonkeyPatch, limit: str, message: str
) -> None:
    monkeypatch.setattr(artifacts, limit, 10)
    with pytest.raises(ArtifactError, match=message):
        build(small)


def test_the_report(artifact: Artifact, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artifacts.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == artifact.digest
    assert lines[1].endswith("app.zip")
    assert lines[2].endswith("app.tar.gz")
    assert (root / lines[3].split()[-1]).samefile(artifact.sbom)
    assert [line.split()[-1] for line in lines[5:]] == [name for name, _ in artifact.largest]
    assert len(artifact.largest) == 10
    assert artifact.largest[0][1] == max(artifact.packages.values())


@pytest.mark.parametrize("content", [None, b"other", b"{}"], ids=["missing", "changed", "of another shape"])
@pytest.mark.parametrize("name", [*packages.FILES, packages.CHECKSUMS])
def test_damaged_packages_are_refused(small: Path, name: str, content: bytes | None) -> None:
    build(small)
    [file] = (small / "build" / "packages").glob(f"*/{name}")
    file.unlink()
    if content:
        file.write_bytes(content)
    (small / "app" / "model.py").write_text("edited = True")
    with pytest.raises(
        ArtifactError, match=r"^artifact: files in \S+ are missing or changed: delete it, and try again$"
    ):
        build(small)
