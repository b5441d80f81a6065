"""The pack in the real engine: it stops a careless stack in preview, and production passes."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.cli.home import ROOT


def test_a_careless_stack_is_stopped_in_preview(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.policy.careless", tmp_path]
    said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    assert said[-1] == "stopped"
    assert {line.strip() for line in said} >= {
        "Table users: deletionProtectionEnabled is None: production needs True",
        "Function api: the variable MODE is a Pulumi secret in plain text: name an SSM parameter that holds it",
        "Bucket source: it lacks project and stack and environment: add the stack's tags or labels "
        "(if its type has none, add it to UNTAGGABLE in policy/rules/tags.py)",
        "IAMMember everybody: member is allUsers: "
        "name accounts; the one public Cloud Run service sets invokerIamDisabled instead",
        "IAMMember everybody: role is roles/owner: grant a predefined role on the one resource instead",
    }
    assert "hunter2" not in "\n".join(said)


@pytest.mark.prove
@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_production_passes(tmp_path: Path, stack: str) -> None:
    command = [sys.executable, "-m", "local", "--home", tmp_path, "preview", "--artifact", "build", stack]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"better-together|local|{ROOT / 'policy'}" in result.stdout
