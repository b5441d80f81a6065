"""The state in a bucket of S3 and its secrets under a key of KMS, from `ops create` to `ops reap`.

moto judges each request by the policies of the environment's deployer.
"""

import importlib
import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pulumi
import pytest
from pulumi import automation as auto

from bootstrap.aws.policies import Deployer
from pulumi_momento import Cache
from tests.momento.conftest import running
from tests.ops.backend import Backend
from tests.ops.conftest import APP_PYTHON

BUCKET, KEY = "state-of-a-team", "alias/state-of-a-team"
ROOT = {"AWS_ACCESS_KEY_ID": "root", "AWS_SECRET_ACCESS_KEY": "root"}
PROVIDER = f"awskms://{KEY}?region=us-east-1"
STATE = ".pulumi/stacks/better-together/aws-pr-1.json"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})  # the administrator assumes the roles before moto judges
ENVIRONMENTS = {"development": ["aws-prod"], "watch": list[str]()}
"""The stacks that each is denied."""

type Variables = dict[str, str]


@dataclass(frozen=True)
class Account:
    url: str
    administrator: Variables
    deployers: Mapping[str, Variables]

    def objects(self) -> dict[str, str]:
        """What is in the bucket, by key."""
        with closing(client(self.url, "s3", self.administrator)) as s3:
            keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
            return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in keys}

    def lock(self) -> None:
        """Leave the lock of an update that was killed long ago."""
        holder = {"username": "ann", "hostname": "elsewhere", "pid": 7, "timestamp": "2026-11-01T00:00:00Z"}
        key = ".pulumi/locks/organization/better-together/aws-pr-1/one.json"
        with closing(client(self.url, "s3", self.administrator)) as s3:
            s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(holder))


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    command = [APP_PYTHON, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        url = next(found[0] for line in process.stderr if (found := re.findall(r"Running on (http://\S+)", line)))
        rest = threading.Thread(target=process.stderr.read)  # else the server waits once the pipe is full
        rest.start()
        account = Account(url, administrator(url), set_up(url))
        httpx.post(f"{url}/moto-api/reset-auth", content="0").raise_for_status()  # judge requests from now on
        yield account
        process.terminate()
        rest.join()


def client(url: str, service: str, variables: Variables) -> Any:
    boto3: Any = importlib.import_module("boto3")  # its types are not installed
    keys = {name.lower(): value for name, value in variables.items()}
    return boto3.client(service, "us-east-1", endpoint_url=url, **keys)


def administrator(url: str) -> Variables:
    with closing(client(url, "iam", ROOT)) as iam:
        iam.create_user(UserName="ann")
        iam.put_user_policy(UserName="ann", PolicyName="all", PolicyDocument=allowing("*"))
        return variables(iam.create_access_key(UserName="ann")["AccessKey"])


def set_up(url: str) -> dict[str, Variables]:
    """Make the bucket, the key and the deployers."""
    with (
        closing(client(url, "s3", ROOT)) as s3,
        closing(client(url, "kms", ROOT)) as kms,
        closing(client(url, "iam", ROOT)) as iam,
        closing(client(url, "sts", ROOT)) as sts,
    ):
        s3.create_bucket(Bucket=BUCKET)
        key = kms.create_key()["KeyMetadata"]
        kms.create_alias(AliasName=KEY, TargetKeyId=key["KeyId"])
        found: dict[str, Variables] = {}
        for environment, denied in ENVIRONMENTS.items():
            role = iam.create_role(RoleName=environment, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
            own = Deployer("better-together", "123456789012", environment, denied).own_policy(BUCKET, key["Arn"])
            iam.put_role_policy(RoleName=environment, PolicyName="own", PolicyDocument=own)
            # moto asks for `*` and not for the key.
            iam.put_role_policy(RoleName=environment, PolicyName="key", PolicyDocument=allowing("kms:*"))
            found[environment] = variables(sts.assume_role(RoleArn=role, RoleSessionName="ci")["Credentials"])
        return found


def allowing(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def variables(keys: Mapping[str, str]) -> Variables:
    token = {"AWS_SESSION_TOKEN": keys["SessionToken"]} if "SessionToken" in keys else {}
    return {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"]} | token


@pytest.fixture
def team(account: Account, tmp_path: Path) -> Backend:
    """The backend as the administrator uses it."""
    variables = {
        "AWS_ENDPOINT_URL": account.url,
        "NO_PROXY": "127.0.0.1",
        "PULUMI_BACKEND_URL": f"s3://{BUCKET}?region=us-east-1&s3ForcePathStyle=true",
        "PULUMI_CONFIG_PASSPHRASE": "",
    }
    return Backend.made(tmp_path, variables | account.administrator)


def test_a_stack_of_a_team_from_its_making_to_its_end(account: Account, team: Backend) -> None:
    development, watch = (
        replace(team, variables={**team.variables, **account.deployers[name]}) for name in ("development", "watch")
    )
    template = team.checkout / "Pulumi.aws.yaml"
    template.write_text(f"secretsprovider: {PROVIDER}\n{template.read_text()}")
    team.pulumi("stack", "init", "aws-prod", "--no-select", "--secrets-provider", PROVIDER)
    assert development.ops("create", "aws-pr-1")[0] == 0
    made = (team.checkout / "Pulumi.aws-pr-1.yaml").read_text()
    assert f"secretsprovider: {PROVIDER}" in made
    assert "encryptedkey: " in made
    (team.folder / "project" / "Pulumi.aws-pr-1.yaml").write_text(made)

    def program() -> None:
        Cache("users", name="users")
        pulumi.export("expires", "2026-11-01T00:00:00Z")

    with running("local.cloud.momento") as momento:
        stack = development.stack("aws-pr-1", program)
        secret = auto.ConfigValue(momento.key, secret=True)
        stack.set_all_config({"momento:apiKey": secret, "momento:endpoint": auto.ConfigValue(momento.endpoint)})
        stack.up()
        state = json.loads(account.objects()[STATE])["checkpoint"]["latest"]
        assert (state["secrets_providers"]["type"], state["secrets_providers"]["state"]["url"]) == ("cloud", PROVIDER)
        assert momento.key not in "".join(account.objects().values())
        account.lock()
        code, result, _ = development.ops("recover", "aws-pr-1")
        assert (code, len(result["unlocked"])) == (0, 1)

        assert momento.caches() == ["users"]
        (team.checkout / "Pulumi.aws-pr-1.yaml").unlink()  # as in a fresh checkout
        code, result, _ = development.ops("reap")
        assert code == 2
        assert re.search("to read the state of every stack.*pulumi says: 2 errors.*AccessDenied", result["error"])
        code, result, _ = watch.ops("reap")
        outcomes = {one["stack"]: one["outcome"] for one in result["stacks"]}
        assert (code, outcomes, momento.caches()) == (0, {"aws-pr-1": "destroyed", "aws-prod": "kept"}, [])
        assert STATE not in account.objects()
