"""`make preview-since` cleans up after a run that was killed, wherever that was."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.cli.home import ROOT

BASE = "build/since/checkout"
ADD = f"git worktree add --quiet --detach {BASE} HEAD"
LEFT = {
    "nothing": "true",
    "a worktree": ADD,
    "a folder that is no worktree": f"mkdir -p {BASE}",
    "a worktree without its folder": f"{ADD}; rm -rf build",
    "a worktree that is not complete": f"{ADD}; git worktree lock {BASE}; rm {BASE}/.git",
}


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
def test_another_run_starts_afresh(tmp_path: Path, left: str) -> None:
    """The checkout's Python only says what it is to run."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$PWD" "$3" "$4" >> "$CALLS"\n')
    python.chmod(0o755)
    script = shutil.copy(ROOT / "local" / "cli" / "preview_since.sh", tmp_path)
    identity = "-c user.name=ann -c user.email=ann@a.example"
    commit = f"git init --quiet; git {identity} commit --quiet --allow-empty --message first"
    run(tmp_path, f"{commit}; {left}")
    (tmp_path / "calls").write_text("")
    run(tmp_path, f"{script} HEAD plan.json aws")
    up, preview, down = (tmp_path / "calls").read_text().splitlines()[-3:]
    assert [up, down] == [f"{tmp_path}/{BASE} --home {tmp_path}/build/since/clouds"] * 2
    assert preview == f"{tmp_path} preview --home"
    assert not (tmp_path / "build" / "since").exists()
    assert len(run(tmp_path, "git worktree list").splitlines()) == 1


def run(folder: Path, script: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environ["CALLS"] = str(folder / "calls")
    result = subprocess.run(["bash", "-euc", script], cwd=folder, env=environ, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout
