"""Drift is reported and repaired, and a production stack is destroyed only after it has become a development one."""

import json
import re
import subprocess
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pulumi import automation as auto

from local.cli import clouds as laptops_clouds
from local.cli import engine
from local.cli.home import APP_PYTHON, Home
from tests.e2e.laptop import ROOT, Laptop, aws

PRODUCTION = ["aws-prod", "gcp-prod"]
SERVICE = "gcp:cloudrunv2/service:Service"
DATABASE = "gcp:firestore/database:Database"
PROJECT = f"projects/{engine.GCP_PROJECT}"


def gcp(clouds: Laptop, method: str, type: str, id: str, body: dict[str, Any] | None = None) -> httpx.Response:
    path = f"/gcp/resources/{quote(type, safe='')}/{quote(f'{PROJECT}/{id}', safe='')}"
    return clouds.control(method, path, body)


def delete_cache(clouds: Laptop, name: str) -> None:
    daemon = clouds.daemon()
    script = ROOT / "tests" / "momento" / "account.py"
    command = [APP_PYTHON, script, daemon["momento"].rpartition(":")[2], daemon["momentoApiKey"], "delete", name]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def at_once[T](stacks: Collection[auto.Stack], ask: Callable[[auto.Stack], T]) -> list[T]:
    """Calls `ask` for all stacks in parallel, since each call of the engine takes half a second."""
    with ThreadPoolExecutor(len(stacks)) as pool:
        return list(pool.map(ask, stacks))


def not_drifted(clouds: Laptop, stack: str) -> None:
    assert clouds.must("drift", stack) == f"stack {stack} has not drifted\n"


def test_drift_on_aws_is_named_and_mended(clouds: Laptop) -> None:
    with aws(clouds, "lambda") as functions:
        meddle_with_aws(clouds, functions)
        drifted = clouds.run("drift", "aws")
        assert drifted.returncode == 1
        assert drifted.stderr.splitlines()[-1] == "stack aws has drifted: `make up STACK=aws REFRESH=1` repairs it"
        protection, recovery, code, memory, key, cache = drifted.stdout.splitlines()
        table, function = "aws:dynamodb:Table users:", "aws:lambda:Function api:"
        assert protection == f"{table} deletionProtectionEnabled is false in the stack, true in the cloud"
        assert recovery == f"{table} pointInTimeRecovery.recoveryPeriodInDays is 7 in the stack, 3 in the cloud"
        assert code.startswith(f"{function} codeSha256 is ")
        assert memory == f"{function} memorySize is 1024 in the stack, 512 in the cloud"
        assert key == "aws:ssm:Parameter momento-api-key: value is [secret] in the stack, another [secret] in the cloud"
        assert cache == "momento:index:Cache users: in the stack, gone from the cloud"
        assert functions.get_function(FunctionName="better-together-aws")["Configuration"]["MemorySize"] == 512
    assert_an_up_mends_it(clouds, "aws")


@pytest.mark.prove
def test_drift_on_google_cloud_is_named_and_mended(clouds: Laptop) -> None:
    meddle_with_gcp(clouds)
    drifted = clouds.run("drift", "gcp")
    assert drifted.returncode == 1
    off, on = '"DELETE_PROTECTION_DISABLED" in the stack', '"DELETE_PROTECTION_ENABLED" in the cloud'
    assert drifted.stdout.splitlines() == [
        'gcp:cloudrunv2:Service api: description is nothing in the stack, "mine" in the cloud',
        f"gcp:firestore:Database users: deleteProtectionState is {off}, {on}",
        "momento:index:Cache users: in the stack, gone from the cloud",
    ]
    assert_an_up_mends_it(clouds, "gcp")


def assert_an_up_mends_it(clouds: Laptop, stack: str) -> None:
    clouds.must("up", stack, "--refresh")
    not_drifted(clouds, stack)
    ready = httpx.get(clouds.outputs()[stack]["url"] + "/health/ready", timeout=30)
    assert ready.status_code == 200, ready.text


def meddle_with_aws(clouds: Laptop, functions: Any) -> None:
    name = "better-together-aws"
    with aws(clouds, "dynamodb") as dynamodb, aws(clouds, "ssm") as ssm:
        recovery = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 3}
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=True)
        functions.update_function_configuration(FunctionName=name, MemorySize=512)
        functions.update_function_code(FunctionName=name, ZipFile=b"other code")
        ssm.put_parameter(Name=f"/{name}/momento-api-key", Value="mallory", Type="SecureString", Overwrite=True)
    delete_cache(clouds, name)


def meddle_with_gcp(clouds: Laptop) -> None:
    name = "better-together-gcp"
    for type, id, change in (
        (DATABASE, f"databases/{name}", {"deleteProtectionState": "DELETE_PROTECTION_ENABLED"}),
        (SERVICE, f"locations/us-central1/services/{name}", {"description": "mine"}),
    ):
        inputs = gcp(clouds, "GET", type, id).json()["inputs"]
        gcp(clouds, "PUT", type, id, {"inputs": inputs | change}).raise_for_status()
    delete_cache(clouds, name)


@pytest.mark.prove
def test_a_production_stack_is_destroyed_only_after_it_became_a_development_one(clouds: Laptop) -> None:
    clouds.must("up", *PRODUCTION, "--artifact", "build")
    stacks = {name: engine.open_stack(Home(clouds.home), name) for name in PRODUCTION}
    before = {name: resources(stack) for name, stack in stacks.items()}
    try:
        for name in PRODUCTION:
            not_drifted(clouds, name)
        for command in (["destroy", *PRODUCTION], ["down"]):
            refused = clouds.run(*command)
            assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
            assert "better-together:environment to development in Pulumi.aws-prod.yaml, Pulumi.gcp" in refused.stderr
        for name, refusal in zip(stacks, at_once(stacks.values(), refused_destroy), strict=True):
            assert re.search(f"stack {name} is protected: .*environment development", refusal)
            assert resources(stacks[name]) == before[name]
    finally:
        home = Home(clouds.home)
        daemon = laptops_clouds.running(home)
        stacks = {name: engine.open_stack(home, name) for name in PRODUCTION}  # with the config of its file again
        at_once(stacks.values(), lambda stack: bring_up_for_development(stack, daemon))
        destroyed = clouds.run("destroy", *PRODUCTION)
    assert destroyed.returncode == 0, destroyed.stderr
    assert "aws-prod | deleted aws:dynamodb:Table users\n" in destroyed.stderr
    assert "unchanged" not in destroyed.stderr
    assert list(clouds.outputs()) == ["aws", "gcp"]
    with aws(clouds, "dynamodb") as dynamodb:
        assert sorted(dynamodb.list_tables()["TableNames"]) == ["better-together-aws", "better-together-aws-pictures"]
    assert gcp(clouds, "GET", DATABASE, "databases/better-together-gcp-prod").status_code == 404


def refused_destroy(stack: auto.Stack) -> str:
    """What the engine says to a plain `pulumi destroy`, even with --yes --skip-preview."""
    with pytest.raises(auto.errors.CommandError) as refusal:
        stack.destroy()
    return str(refusal.value)


def bring_up_for_development(stack: auto.Stack, daemon: laptops_clouds.Daemon | None) -> None:
    engine.configure(stack, daemon, {"environment": "development"})
    stack.up()


def resources(stack: auto.Stack) -> list[str]:
    deployment = stack.export_stack().deployment
    return sorted(json.dumps(one, sort_keys=True) for one in deployment["resources"]) if deployment else []
