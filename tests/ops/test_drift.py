"""Drift on clouds with an account; tests/e2e/test_operations.py finds it on the laptop's."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.__main__ import main

type Refresh = Callable[[str], int]


@pytest.fixture
def drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refresh:
    """Runs `ops drift` with a `pulumi refresh` that runs the script, and writes its arguments to `arguments`."""

    def drift(script: str) -> int:
        pulumi = tmp_path / "pulumi"
        pulumi.write_text(
            f"""#!/bin/sh
case "$1" in stack) echo '{{}}'; exit ;; esac
echo "$@" > {tmp_path}/arguments
{script}
"""
        )
        pulumi.chmod(pulumi.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return main(["drift", "acme/better-together/aws", "--home", str(tmp_path / "home")])

    return drift


def test_nothing_has_drifted(drift: Refresh, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift("echo '27 unchanged'") == 0
    assert capsys.readouterr().out == "nothing has drifted\n"
    arguments = (tmp_path / "arguments").read_text()
    assert arguments.startswith(
        "refresh --non-interactive --suppress-progress --preview-only --expect-no-changes --diff"
    )


def test_what_has_drifted_fails(drift: Refresh, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift("echo '~ memorySize'; echo 'error: no changes were expected but changes were proposed'; exit 255") == 1
    out, err = capsys.readouterr()
    assert out == "drifted: acme/better-together/aws\n"
    assert "~ memorySize" in err


def test_a_cloud_that_cannot_be_asked_is_no_drift(drift: Refresh, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift("echo 'error: no credentials'; exit 255") == 2
    assert "cannot be compared with its cloud: no credentials" in capsys.readouterr().err
