"""A bucket and a key are a team's backend and secrets provider, as far as moto goes."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from bootstrap.aws.policies import Deployer
from local.cli.tools import pulumi
from tests.bootstrap.iam import allows
from tests.local.providers import conftest as providers

running_aws = providers.running_aws

BUCKET = "state-of-a-team"
SECRETS = f"awskms://alias/a-team?region={providers.REGION}"


class Bucket:
    def __init__(self, aws: providers.Aws) -> None:
        self._s3 = aws("s3")
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": providers.REGION})
        key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
        aws("kms").create_alias(AliasName="alias/a-team", TargetKeyId=key)
        self.url: str = self._s3.meta.endpoint_url

    def read(self) -> dict[str, str]:
        found = self._s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        return {one["Key"]: self._s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read().decode() for one in found}

    def write(self, key: str, text: str) -> None:
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())


@pytest.fixture(scope="module")
def bucket(running_aws: providers.Aws) -> Bucket:
    return Bucket(running_aws)


class Computer:
    """One on which somebody works with the team's stacks."""

    def __init__(self, folder: Path, bucket: Bucket) -> None:
        self.folder = folder
        (folder / "Pulumi.yaml").write_text("name: better-together\nruntime: python\n")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PULUMI_HOME": str(folder / "home"),
            "AWS_ENDPOINT_URL": bucket.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "PULUMI_BACKEND_URL": f"s3://{BUCKET}?region={providers.REGION}&s3ForcePathStyle=true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [pulumi().command, *command.split(), "--non-interactive"],
            cwd=self.folder,
            env=self._environment | environment,
            capture_output=True,
            text=True,
        )

    def __call__(self, command: str, **environment: str) -> str:
        """What the command prints. Fails unless it exits with 0."""
        result = self.run(command, **environment)
        assert result.returncode == 0, result.stderr
        return result.stdout


@pytest.fixture
def computer(tmp_path: Path, bucket: Bucket) -> Computer:
    return Computer(tmp_path, bucket)


def test_a_team_shares_a_stack_and_its_secrets(computer: Computer, bucket: Bucket, tmp_path: Path) -> None:
    computer(f"stack init shared --secrets-provider {SECRETS}")
    computer("config set --secret momentoApiKey hunter2 -s shared")
    stack_file = (computer.folder / "Pulumi.shared.yaml").read_text()
    assert "hunter2" not in stack_file + "".join(bucket.read().values())
    (tmp_path / "other").mkdir()
    other = Computer(tmp_path / "other", bucket)
    (other.folder / "Pulumi.shared.yaml").write_text(stack_file)
    assert other("config get momentoApiKey -s shared").strip() == "hunter2"


def test_an_update_waits_for_the_lock_of_another(computer: Computer, bucket: Bucket) -> None:
    computer(f"stack init locked --secrets-provider {SECRETS}")
    lock = {"pid": 1, "username": "ann", "hostname": "ci", "timestamp": "2026-11-26T00:00:00Z"}
    bucket.write(".pulumi/locks/organization/better-together/locked/1.json", json.dumps(lock))
    refused = computer.run("refresh --yes -s locked")
    assert refused.returncode
    assert "the stack is currently locked by 1 lock(s)" in refused.stderr
    assert "created by ann@ci (pid 1)" in refused.stderr
    computer("cancel --yes locked")
    computer("refresh --yes -s locked")
    assert not [key for key in bucket.read() if "/locks/" in key]


def test_a_deployer_may_write_what_the_engine_writes(computer: Computer, bucket: Bucket) -> None:
    computer(f"stack init written --secrets-provider {SECRETS}")
    computer("refresh --yes -s written")
    deployer = Deployer("better-together", "123456789012", "development", [])
    policy = json.loads(deployer.own_policy(BUCKET, "arn:aws:kms:::key/1"))
    written = [key for key in bucket.read() if key.endswith("meta.yaml") or "written" in key]
    assert {key.split("/")[1] for key in written} == {"meta.yaml", "stacks", "history", "backups"}
    for key in written:
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
            assert allows([policy], action, f"arn:aws:s3:::{BUCKET}/{key}"), key


def test_a_stack_moves_from_the_computer_to_the_bucket(computer: Computer, bucket: Bucket) -> None:
    """As docs/bootstrap.md moves the state of the bootstrap itself."""
    local = {"PULUMI_BACKEND_URL": computer.folder.as_uri(), "PULUMI_CONFIG_PASSPHRASE": ""}
    computer("stack init main", **local)
    computer("config set repository Octo/users -s main", **local)
    computer(f"stack change-secrets-provider {SECRETS} -s main", **local)
    computer("stack export --file main.json -s main", **local)
    computer(f"stack init main --secrets-provider {SECRETS}")
    computer("stack import --file main.json -s main")
    assert computer("config get repository -s main").strip() == "Octo/users"
    assert ".pulumi/stacks/better-together/main.json" in bucket.read()
