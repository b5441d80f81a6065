"""The state in a bucket of S3 and its secrets under a key of KMS, as moto has them: from `ops create` to `ops reap`."""

import importlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto

from pulumi_momento import Cache
from tests.momento.conftest import running
from tests.ops.backend import Backend
from tests.ops.conftest import APP_PYTHON

BUCKET, KEY = "state-of-a-team", "alias/state-of-a-team"
PROVIDER = f"awskms://{KEY}?region=us-east-1"
STATE = ".pulumi/stacks/better-together/aws-pr-1.json"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Its URL."""
    command = [APP_PYTHON, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        yield next(found[0] for line in process.stderr if (found := re.findall(r"Running on (http://\S+)", line)))
        process.terminate()


@pytest.fixture
def team(moto: str, tmp_path: Path) -> Backend:
    variables = {
        "AWS_ACCESS_KEY_ID": "moto",
        "AWS_SECRET_ACCESS_KEY": "moto",
        "AWS_ENDPOINT_URL": moto,
        "NO_PROXY": "127.0.0.1",
        "PULUMI_BACKEND_URL": f"s3://{BUCKET}?region=us-east-1&s3ForcePathStyle=true",
        "PULUMI_CONFIG_PASSPHRASE": "",
    }
    s3, kms = client(moto, "s3"), client(moto, "kms")
    s3.create_bucket(Bucket=BUCKET)
    kms.create_alias(AliasName=KEY, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    s3.close()
    kms.close()
    return Backend.made(tmp_path, variables, PROVIDER)


def client(moto: str, service: str) -> Any:
    boto3: Any = importlib.import_module("boto3")  # its types are not installed
    keys = {"aws_access_key_id": "moto", "aws_secret_access_key": "moto"}
    return boto3.client(service, "us-east-1", endpoint_url=moto, **keys)


def objects(moto: str) -> dict[str, str]:
    """What is in the bucket, by key."""
    s3 = client(moto, "s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    found = {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in keys}
    s3.close()
    return found


def test_a_stack_of_a_team_from_its_making_to_its_end(moto: str, team: Backend) -> None:
    template = team.checkout / "Pulumi.aws.yaml"
    template.write_text(f"secretsprovider: {PROVIDER}\n{template.read_text()}")
    assert team.ops("create", "aws-pr-1")[0] == 0
    made = (team.checkout / "Pulumi.aws-pr-1.yaml").read_text()
    assert f"secretsprovider: {PROVIDER}" in made
    assert "encryptedkey: " in made
    (team.folder / "project" / "Pulumi.aws-pr-1.yaml").write_text(made)

    def program() -> None:
        Cache("users", name="users")
        pulumi.export("expires", "2026-11-01T00:00:00Z")

    with running("local.cloud.momento") as momento:
        stack = team.stack("aws-pr-1", program)
        secret = auto.ConfigValue(momento.key, secret=True)
        stack.set_all_config({"momento:apiKey": secret, "momento:endpoint": auto.ConfigValue(momento.endpoint)})
        stack.up()
        state = json.loads(objects(moto)[STATE])["checkpoint"]["latest"]
        assert (state["secrets_providers"]["type"], state["secrets_providers"]["state"]["url"]) == ("cloud", PROVIDER)
        assert momento.key not in "".join(objects(moto).values())
        lock(moto)
        code, result, _ = team.ops("recover", "aws-pr-1")
        assert (code, len(result["unlocked"])) == (0, 1)

        assert momento.caches() == ["users"]
        (team.checkout / "Pulumi.aws-pr-1.yaml").unlink()  # as in a fresh checkout
        code, result, _ = team.ops("reap")
        assert (code, [one["outcome"] for one in result["stacks"]], momento.caches()) == (0, ["destroyed"], [])
        assert STATE not in objects(moto)


def lock(moto: str) -> None:
    """The lock of an update that was killed long ago."""
    s3 = client(moto, "s3")
    holder = {"username": "ann", "hostname": "elsewhere", "pid": 7, "timestamp": "2026-11-01T00:00:00Z"}
    key = ".pulumi/locks/organization/better-together/aws-pr-1/one.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(holder))
    s3.close()
