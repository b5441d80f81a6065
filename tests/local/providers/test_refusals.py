"""What is wrong is one line that names it, wherever it is found out."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.cli.home import ROOT
from tests.local.providers.conftest import Aws


def said(folder: Path, home: Path, verb: str, *programs: str) -> str:
    """What the engine says of programs of refused.py, one after the other in the same stack."""
    command = [sys.executable, "-m", "tests.local.providers.refused", folder, home, verb, *programs]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


NOT_RUNNING = ["the laptop's clouds are not running (no daemon.json in {home}): run `make up`"]
CASES = [
    (
        "preview",
        "mistaken",
        [
            "missing required property 'attributes[0].type'",
            "unknown property 'pointInTimeRecovery.enable': did you mean 'enabled'?",
        ],
    ),
    (
        "preview",
        "swallowed",
        [
            "the laptop's aws has no 'deadLetterConfig' of aws:lambda/function:Function: "
            "add it to local/providers/aws/lambda_function.py"
        ],
    ),
    ("up", "right", NOT_RUNNING),
    ("preview", "mistaken_gcp", ["unknown property 'versioning.enable': did you mean 'enabled'?"]),
    (
        "preview",
        "swallowed_gcp",
        [
            "the laptop's gcp has no 'template.containers[0].workingDir' of gcp:cloudrunv2/service:Service: "
            "add it to local/providers/gcp/types.py"
        ],
    ),
    ("up", "right_gcp", NOT_RUNNING),
]


@pytest.mark.parametrize(
    ("verb", "program", "lines"),
    [CASES[0], *(pytest.param(*case, marks=pytest.mark.prove) for case in CASES[1:])],
)
def test_without_the_clouds(tmp_path: Path, verb: str, program: str, lines: list[str]) -> None:
    home = tmp_path / "nowhere"
    told = said(tmp_path, home, verb, program)
    for line in lines:
        assert line.format(home=home) in told
    assert "Traceback" not in told


@pytest.mark.prove
def test_what_aws_refuses(tmp_path: Path, clouds: Path, aws: Aws) -> None:
    aws("iam").create_role(RoleName="taken", AssumeRolePolicyDocument="{}")
    told = said(tmp_path, clouds, "up", "taken")
    assert "(EntityAlreadyExists) when calling the CreateRole operation" in told
    assert "Traceback" not in told


@pytest.mark.prove
@pytest.mark.parametrize("program", ["unmade", "unmade_by_hand"])
def test_a_domain_that_could_not_be_made_is_no_output(tmp_path: Path, clouds: Path, aws: Aws, program: str) -> None:
    told = said(tmp_path, clouds, "up", program)
    assert "Function not found" in told
    assert told.splitlines()[-1].strip() == "outputs:"


@pytest.mark.prove
def test_what_a_failed_publish_left_is_not_published_by_the_next_up(tmp_path: Path, clouds: Path, aws: Aws) -> None:
    """https://github.com/hashicorp/terraform-provider-aws/issues/49904"""
    told = said(tmp_path, clouds, "up", "published", "unpublished", "unpublished")
    assert told.count("version 2 of api does not start: Runtime exited with error: exit status 1: no wine left") >= 1
    assert "version 3" not in told
    versions = aws("lambda").list_versions_by_function(FunctionName="api")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
