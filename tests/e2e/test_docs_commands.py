"""The commands of the docs run as they are written, one after the other, in a copy of this checkout.

These are the lines after a prompt in code blocks, and the commands in the first column of a table.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import copy_with_artifact
from tests.e2e.laptop import ROOT

ACCOUNTS = {"fidelity.md"}  # every command of these pages needs an account
PAGES = [
    *(ROOT / "README.md", ROOT / "CONTRIBUTING.md"),
    *(page for page in sorted(ROOT.glob("docs/*.md")) if page.name not in ACCOUNTS),
]
PROMPTED_OR_FIRST_CELL = re.compile(r"^\$ ((?:.*\\\n)*.*)|^\| (`make [^|]*)\|", re.MULTILINE)
NOT_RUN = {
    r"(.*&& |.*\$\()?(aws|gcloud|pulumi) ": "needs an account",
    r"gh ": "needs a repository on GitHub",
    r"for environment in ": "needs a repository on GitHub",
    r"git commit ": "changes the repository",
    r"make create ": "needs a backend; tests/ops/test_create.py does it",
    r"make (test|prove|contract|fuzz)": "runs tests, which would run this one",
    r"make setup-deploy": "needs the official Pulumi CLI on PATH; tests/local/test_setup.py tries it",
    r"make rehearse": "takes minutes; tests/e2e/test_promotion.py plays the same scenes",
    r"make rollback": "needs a release before the one that runs; tests/e2e/test_promotion_killed.py does it",
    r"make lint": "checks the sources, as CI does",
    r"make (bench|compare|wait)": "measures, on an idle machine",
    r"make load": "takes minutes, or needs an account; tests/e2e/test_load.py runs a short one",
    r"make dev": "runs until Ctrl-C; tests/e2e/test_dev.py starts and ends it",
}
LAST = ["make destroy STACK=aws", "make down"]
# What `make` gives to the tests that it runs is not for the `make` that they run.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
CURL = 'curl() { command curl --fail --noproxy "*" "$@"; }\n'


def commands() -> list[str]:
    """Each once, in the order of the pages; what ends the clouds comes last."""
    found = [
        command
        for page in PAGES
        for prompted, cell in PROMPTED_OR_FIRST_CELL.findall(page.read_text())
        for command in ([prompted] if prompted else re.findall(r"`(make [^`]+)`", cell))
    ]
    return sorted(dict.fromkeys(found), key=lambda command: LAST.index(command) if command in LAST else -1)


def runs(command: str) -> bool:
    return not any(re.match(pattern, command) for pattern in NOT_RUN)


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """A copy of this one. If a test fails and the clouds are left running, they end when the copy is removed."""
    with tempfile.TemporaryDirectory(prefix="better-together-", ignore_cleanup_errors=True) as folder:
        copy_with_artifact(Path(folder))
        yield Path(folder)


def run(checkout: Path, command: str) -> str:
    """Its output. Fails unless the command exits with 0 within ten minutes."""
    shell = ["bash", "-euo", "pipefail", "-c", CURL + command]
    result = subprocess.run(shell, cwd=checkout, env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.prove
@pytest.mark.parametrize("command", list(filter(runs, commands())), ids=lambda command: " ".join(command.split()[:4]))
def test_a_command_of_the_docs_works(checkout: Path, command: str) -> None:
    if "127.0.0.1:8081" in command:
        url = json.loads(run(checkout, "make -s outputs"))["aws"]["url"]
        command = command.replace("http://127.0.0.1:8081", url)
    run(checkout, command)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_a_block_have_prompts(page: Path) -> None:
    assert not re.findall(r"^```(?:sh|bash|shell)$", page.read_text(), re.MULTILINE), "use ```console and `$ `"


@pytest.mark.parametrize("pattern", NOT_RUN)
def test_a_command_that_is_not_run_is_in_the_docs(pattern: str) -> None:
    assert any(re.match(pattern, command) for command in commands())
