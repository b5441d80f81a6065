"""`make lint-workflows` refuses what is wrong or dangerous in a workflow of GitHub Actions."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

GOOD = """\
name: Lint
on:
  issues:
    types: [opened]
permissions: {}
concurrency:
  group: ${{ github.workflow }}-${{ github.ref }}
  cancel-in-progress: true
jobs:
  lint:
    name: Lint
    if: github.repository_owner == 'somebody'
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          persist-credentials: false
      - run: make lint
"""
RUN, PIN, NO_PERMISSIONS = "make lint", "08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "permissions: {}\n"


def workflows(folder: Path, **texts: str) -> Path:
    """A checkout with these workflows and everything else of this one."""
    (folder / ".github" / "workflows").mkdir(parents=True)
    (folder / ".git").mkdir()  # where actionlint looks for the workflows
    for name in ("Makefile", "pyproject.toml", "uv.lock", ".venv", "local", "build"):
        (folder / name).symlink_to(ROOT / name)
    for name, text in texts.items():
        (folder / ".github" / "workflows" / f"{name}.yml").write_text(text)
    return folder


def lint(checkout: Path) -> subprocess.CompletedProcess[str]:
    command = ["make", "--assume-old=setup", "lint-workflows"]
    plain = {**os.environ, "NO_COLOR": "1"}  # zizmor also colors where CI is set
    return subprocess.run(command, cwd=checkout, env=plain, capture_output=True, text=True, timeout=300)


@pytest.mark.prove
def test_zizmor_refuses_what_an_attacker_could_use(tmp_path: Path) -> None:
    bad = workflows(
        tmp_path / "bad",
        injection=GOOD.replace(RUN, "echo ${{ github.event.issue.title }}"),
        unpinned=GOOD.replace(PIN, "v5"),
        permissions=GOOD.replace(NO_PERMISSIONS, "").replace("    permissions:\n      contents: read\n", ""),
    )
    result = lint(bad)
    assert result.returncode == 2
    found = re.findall(r"^\w+\[([\w-]+)\]:.*\n *--> \.github/workflows/(\w+)\.yml", result.stdout, re.MULTILINE)
    assert set(found) == {
        ("template-injection", "injection"),
        ("unpinned-uses", "unpinned"),
        ("excessive-permissions", "permissions"),
    }


@pytest.mark.prove  # `make lint` builds actionlint, `make setup` does not
def test_actionlint_refuses_what_would_fail_on_the_server(tmp_path: Path) -> None:
    bad = workflows(
        tmp_path / "bad",
        shell=GOOD.replace(RUN, "cd $HOME && make lint"),
        expression=GOOD.replace("github.repository_owner", "github.owner_of_repository"),
    )
    result = lint(bad)
    assert result.returncode == 2
    found = re.findall(r"^\.github/workflows/(\w+)\.yml:\d+:\d+: .*\[(\w+)\]$", result.stdout, re.MULTILINE)
    assert set(found) == {("shell", "shellcheck"), ("expression", "expression")}, result.stdout
    good = lint(workflows(tmp_path / "good", good=GOOD))
    assert good.returncode == 0, good.stdout + good.stderr
