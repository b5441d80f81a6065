"""What a person meets who mistypes, breaks a stack file, has a slow pipe, or deploys the same checkout for real."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.e2e.laptop import Laptop, versions

OF_A_REAL_DEPLOYMENT = {
    "secretsprovider": "awskms://alias/better-together?region=us-east-1",
    "encryptedkey": "AQICAHhcJ3Rh",
    "encryptionsalt": "v1:AAAAAAAAAAA=:v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
}
SECRETS = {"momento:apiKey": {"secure": "v1:AAAA:AAAA"}, "better-together:momentoApiKey": {"secure": "v1:AAAA:AAAA"}}


def test_a_stack_file_of_a_real_deployment_does_not_disturb_the_laptop(laptop: Laptop, second_checkout: Path) -> None:
    for name in ("aws", "gcp"):
        path = second_checkout / f"Pulumi.{name}.yaml"
        settings = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump(OF_A_REAL_DEPLOYMENT | {"config": settings["config"] | SECRETS}))
    project = second_checkout / "Pulumi.yaml"
    project.write_text(project.read_text() + "backend:\n  url: s3://somebodys-state?region=us-east-1\n")
    assert " to create" in laptop.must("preview", "aws", checkout=second_checkout)


def test_a_broken_stack_file_is_one_line_and_down_works_all_the_same(laptop: Laptop, second_checkout: Path) -> None:
    (second_checkout / "Pulumi.aws.yaml").write_text("config:\n\ta: b\n")
    for command in (["up", "aws"], ["preview", "aws"]):
        broken = laptop.run(*command, checkout=second_checkout)
        assert broken.returncode == 1
        assert broken.stderr.splitlines()[-1].startswith("Pulumi.aws.yaml, line 2 cannot be read: ")
        assert "Traceback" not in broken.stderr
    assert laptop.run("down", checkout=second_checkout).returncode == 0
    assert laptop.processes() == {}


def test_a_broken_project_file_is_one_line(laptop: Laptop, second_checkout: Path) -> None:
    (second_checkout / "Pulumi.yaml").write_text("name: [\n")
    broken = laptop.run("preview", "aws", checkout=second_checkout)
    assert broken.returncode == 1
    assert "Pulumi.yaml" in broken.stderr.splitlines()[-1]
    assert "Traceback" not in broken.stderr


@pytest.mark.prove
def test_a_stack_that_is_named_twice_is_one_stack(clouds: Laptop) -> None:
    assert len(clouds.must("up", "gcp", "gcp").splitlines()) == 1


def test_up_says_what_changed_and_what_is_wrong_once(clouds: Laptop, second_checkout: Path) -> None:
    stack_file = second_checkout / "Pulumi.aws.yaml"
    config = stack_file.read_text()

    def said(key: str, *options: str) -> list[str]:
        stack_file.write_text(f"{config}  better-together:{key}\n")
        artifact, *lines = clouds.run("up", "aws", *options, checkout=second_checkout).stderr.splitlines()
        assert artifact.startswith("artifact sha256:")
        return lines

    assert said("timeoutSeconds: 0") == [
        "aws | error: Pulumi.aws.yaml: better-together:timeoutSeconds is '0': it takes a whole number from 10 to 29",
        f"aws | the engine's full output: {clouds.home}/logs/engine-aws.log",
        "up of stack aws failed: the error is above",
    ]
    assert "timeoutSeconds is '0'" in (clouds.home / "logs" / "engine-aws.log").read_text()
    before = clouds.outputs()["aws"]["revision"]
    assert said("cacheTtlSeconds: 60") == [
        "aws | updated aws:lambda:Function api",
        "aws | updated aws:lambda:Alias live",
        f"aws | deleted version {before} of better-together-aws",
    ]
    assert before not in versions(clouds)
    back = said("cacheTtlSeconds: 300", "--verbose")
    assert "aws | Updating (aws):" in back
    assert not any(line.startswith("aws | updated") for line in back)


@pytest.mark.parametrize(
    "command", [["preview", "awss"], ["destroy", "aws", "awss"], ["drift", "awss"], ["dev", "awss"]]
)
def test_a_mistyped_stack(clouds: Laptop, command: list[str]) -> None:
    result = clouds.run(*command)
    assert result.returncode == 1
    assert result.stderr == "there is no stack 'awss': did you mean aws?\n"


@pytest.mark.parametrize("command", [["destroy", "aws", "nobody"], ["drift", "nobody"]])
def test_a_stack_that_is_not_up(clouds: Laptop, command: list[str]) -> None:
    result = clouds.run(*command)
    assert result.returncode == 1
    assert result.stderr == "stack aws-nobody is not up: `make up STACK=aws-nobody`\n"


def test_what_a_failing_command_prints_arrives_in_a_pipe(clouds: Laptop, second_checkout: Path) -> None:
    """Python's own buffer holds it back when stdout is no terminal."""
    path = second_checkout / "Pulumi.aws.yaml"
    path.write_text(path.read_text() + "  better-together:timeoutSeconds: 0\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = clouds.command("preview", "aws")
    failed = subprocess.run(command, cwd=second_checkout, env=environment, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "Pulumi.aws.yaml: better-together:timeoutSeconds is '0'" in failed.stdout + failed.stderr
    assert "Previewing update (aws)" in failed.stdout


@pytest.mark.prove
def test_a_proxy_for_the_internet_is_not_asked_for_the_clouds(clouds: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert json.loads(clouds.must("outputs")).keys() == {"aws", "gcp"}
    assert clouds.must("drift", "aws") == "stack aws has not drifted\n"


def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for command in (["up"], ["down"], ["preview", "aws"]):
        failed = Laptop(file / "home").run(*command)
        assert failed.returncode == 1
        assert failed.stderr.splitlines()[-1] == f"[Errno 20] Not a directory: '{file / 'home'}'"
        assert "Traceback" not in failed.stderr
