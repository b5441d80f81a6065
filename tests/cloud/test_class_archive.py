"""Google's emulator uses the archive of its classes, survives one that is of no use, and leaves none half-made."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from local.cloud.gcp.firestore import java
from local.cloud.gcp.firestore.java import class_archive, emulator_command, emulator_jar
from tests.cloud.conftest import ROOT, Daemon
from tests.cloud.test_cloud_run import Cloud
from tests.cloud.test_daemon import DATABASE, descendants, wait_until_gone
from tests.processes import command_line

MAKER = [sys.executable, "-m", "local.cloud.gcp.firestore.class_archive"]
ADDRESS = "127.0.0.1:1"


@pytest.fixture
def jar() -> Path:
    jar = emulator_jar()
    if not jar:
        pytest.skip("Google's Firestore emulator needs java and a Google Cloud SDK with the emulator")
    return jar


@pytest.fixture
def archive(jar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the archive would be, in an empty cache."""
    monkeypatch.setattr(java, "CACHE", tmp_path / "better-together")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    archive = class_archive(jar)
    archive.parent.mkdir(parents=True)
    return archive


def print_help(command: list[str], folder: Path) -> str:
    """Runs the emulator to print its options, which takes a fifth of a second; returns the source of its main class."""
    loaded = folder / "loaded.log"
    environment = os.environ | {"JDK_JAVA_OPTIONS": f"-Xlog:class+load:file={loaded}"}
    shown = subprocess.run([*command, "--help"], cwd=folder, env=environment, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "cloud-firestore-emulator [options]" in shown.stdout
    [source] = [line.split("source: ")[1] for line in loaded.read_text().splitlines() if f" {java.MAIN_CLASS} " in line]
    return source


def test_the_emulator_starts_from_its_archive_and_without_one_that_is_of_no_use(
    jar: Path, archive: Path, tmp_path: Path
):
    from_jar, from_archive = f"file:{jar}", "shared objects file (top)"
    assert print_help(emulator_command(jar, ADDRESS), tmp_path) == from_jar
    print_help(emulator_command(jar, ADDRESS, archive), tmp_path)
    assert print_help(emulator_command(jar, ADDRESS), tmp_path) == from_archive
    whole = archive.read_bytes()
    archive.chmod(0o600)
    quarter = len(whole) // 4
    for damaged in (b"", whole[:quarter] + b"\xff" * quarter + whole[2 * quarter :]):
        archive.write_bytes(damaged)
        assert print_help(emulator_command(jar, ADDRESS), tmp_path) == from_jar


def test_each_java_and_each_emulator_has_an_archive(jar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    other_jar, other_java = tmp_path / "emulator.jar", tmp_path / "bin" / "java"
    other_java.parent.mkdir()
    for file in (other_jar, other_java):
        file.touch(0o700)
    archives = {class_archive(jar), class_archive(other_jar)}
    os.utime(other_jar, (1, 1))
    archives.add(class_archive(other_jar))
    assert java.is_one_java()
    monkeypatch.setenv("PATH", str(other_java.parent))
    assert not java.is_one_java()
    archives.add(class_archive(jar))
    assert len(archives) == 4
    assert class_archive(jar) in archives


def test_an_archive_with_a_colon_in_its_path_is_not_used(jar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(java, "CACHE", tmp_path / "a:b:c")
    class_archive(jar).parent.mkdir(parents=True)
    class_archive(jar).touch()
    assert print_help(emulator_command(jar, ADDRESS), tmp_path) == f"file:{jar}"


@pytest.mark.prove
def test_the_daemons_emulator_uses_what_was_made(jar: Path, archive: Path, tmp_path: Path):
    made = subprocess.run(
        [*MAKER, jar, archive.parent], cwd=ROOT, capture_output=True, text=True, start_new_session=True
    )
    assert (made.returncode, made.stderr) == (0, "")
    assert {file.name for file in archive.parent.iterdir()} == {archive.name, "log"}
    daemon = Daemon.start(tmp_path / "home", os.environ["PATH"])
    assert Cloud(daemon, tmp_path, "service").put(DATABASE, "users", {"project": "p", "name": "users"}).is_success
    [emulator] = descendants(daemon, java.JAR)
    mapped = Path(f"/proc/{emulator.pid}/maps").read_text()
    assert daemon.stop() == 0
    assert str(archive) in mapped


@pytest.mark.prove
def test_nothing_runs_on_when_the_making_is_killed(jar: Path, tmp_path: Path):
    os.mkfifo(tmp_path / "log")
    with subprocess.Popen([*MAKER, jar, tmp_path], cwd=ROOT, start_new_session=True) as maker:
        with (tmp_path / "log").open() as log:
            assert log.readline()  # of Java
            emulators = [
                child for child in psutil.Process(maker.pid).children() if java.MAIN_CLASS in command_line(child)
            ]
            maker.send_signal(signal.SIGKILL)
        assert len(emulators) == 1
        wait_until_gone(emulators)
