"""`pulumi up` gets keys for one run, and the stack file stays as it is."""

import os
import resource
import signal
import stat
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest
import yaml

from ops import engine
from ops.stack import ROOT, Stack, UsageError

SETTINGS = {"artifact": "sha256:" + "1" * 64, "rollout": "10"}


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `pulumi` that copies its --config-file and its arguments into the folder, and runs `script` there."""
    program = tmp_path / "pulumi"
    program.write_text(
        f"""#!/bin/sh
echo "$@" > {tmp_path}/arguments
while [ "$1" != --config-file ]; do shift; done
cp "$2" {tmp_path}/config
. {tmp_path}/script
"""
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "script").write_text("echo 'Updating (aws)'")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_keys_for_one_run(pulumi: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = (ROOT / "Pulumi.aws.yaml").read_bytes()
    engine.up(Stack("acme/better-together/aws", {}), SETTINGS)
    given = yaml.safe_load((pulumi / "config").read_text())["config"]
    own = yaml.safe_load(before)["config"]
    assert given == own | {f"better-together:{key}": value for key, value in SETTINGS.items()}
    arguments = (pulumi / "arguments").read_text().split()
    file = Path(arguments[arguments.index("--config-file") + 1])
    assert arguments[:2] == ["up", "--yes"]
    assert {"--non-interactive", "--suppress-progress"} < set(arguments)
    assert arguments[arguments.index("--stack") + 1] == "acme/better-together/aws"
    assert not file.exists()
    assert (ROOT / "Pulumi.aws.yaml").read_bytes() == before
    assert capfd.readouterr().err == "Updating (aws)\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'Diagnostics:'; echo '    error: Lambda is down' >&2; echo '  1 errored'; exit 255", "Lambda is down"),
        ("echo 'error: update failed'; echo '  error: Lambda is down'; exit 255", "Lambda is down"),
        ("echo 'out of memory'; exit 1", "out of memory"),
        ("exit 1", "no output"),
    ],
)
def test_its_failure_is_one_line(pulumi: Path, script: str, reason: str) -> None:
    (pulumi / "script").write_text(script)
    with pytest.raises(engine.UpFailed) as caught:
        engine.up(Stack("aws", {}), SETTINGS)
    assert str(caught.value) == reason


LOCKED = "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock"


@pytest.mark.parametrize("says", [LOCKED, "[409] Conflict: Another update is currently in progress."])
def test_another_update_is_waited_for(pulumi: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    monkeypatch.setattr(engine, "PAUSE", 0)
    (pulumi / "script").write_text(
        f"[ -e {pulumi}/again ] || {{ touch {pulumi}/again; echo 'error: {says}'; exit 255; }}"
    )
    engine.up(Stack("aws", {}), SETTINGS)


def test_a_lock_that_a_killed_update_left_is_not_waited_for_for_ever(
    pulumi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOCKED_FOR", 0)
    (pulumi / "script").write_text(f"echo 'error: {LOCKED}'; exit 255")
    with pytest.raises(engine.UpFailed, match="currently locked"):
        engine.up(Stack("aws", {}), SETTINGS)


def test_without_pulumi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="not on PATH"):
        engine.up(Stack("aws", {}), SETTINGS)


def test_a_pulumi_that_does_not_run(pulumi: Path) -> None:
    (pulumi / "pulumi").write_text("of another processor")
    for use in (partial(engine.up, Stack("aws", {}), SETTINGS), Stack("aws", {}).state):
        with pytest.raises(UsageError, match=r"/pulumi( does not run)?: Exec format error$"):
            use()


def test_without_a_stack_file(pulumi: Path) -> None:
    with pytest.raises(UsageError, match=r"^Pulumi.nowhere.yaml cannot be read: .* No such file"):
        engine.up(Stack("nowhere", {}), SETTINGS)
    assert not (pulumi / "arguments").exists()


def test_a_full_disk(pulumi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit stands in for it: a write past it fails likewise."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(UsageError, match=r"^/.+: File too large$"):
            engine.up(Stack("aws", {}), SETTINGS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (pulumi / "arguments").exists()
    monkeypatch.setattr(tempfile, "tempdir", str(pulumi / "nowhere"))
    with pytest.raises(UsageError, match=r"^/.+/nowhere/.+: No such file or directory$"):
        engine.preview(Stack("aws", {}))


def test_a_closed_terminal_does_not_stop_the_engine(pulumi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    (pulumi / "script").write_text(f"echo a; sleep 0.1; echo b; touch {pulumi}/completed")
    with os.fdopen(writer, "w") as closed:
        monkeypatch.setattr(sys, "stderr", closed)
        engine.up(Stack("aws", {}), SETTINGS)
    assert (pulumi / "completed").exists()


def test_an_interrupt_lets_the_engine_complete_what_it_does(pulumi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints more than a pipe takes."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    (pulumi / "script").write_text(f"sleep 0.5; head -c 200000 /dev/zero; touch {pulumi}/completed")
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            engine.up(Stack("aws", {}), SETTINGS)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert (pulumi / "completed").exists()
