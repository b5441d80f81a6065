"""Stacks that the engine refuses; prints what it says.

A process of its own, as Pulumi leaves threads and sockets behind when an inline program fails.
python -m tests.local.providers.refused FOLDER HOME preview|up PROGRAM...
"""

import json
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
from pulumi import automation as auto
from pulumi_aws import dynamodb, iam, lambda_
from pulumi_gcp import cloudrunv2, storage

from stacks.aws_domain import custom_domain
from tests.local.providers.conftest import Engine

TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}


def mistaken() -> None:
    recovery: Any = {"enable": True}
    attribute: Any = {"name": "id"}
    dynamodb.Table("users", attributes=[attribute], point_in_time_recovery=recovery)


def swallowed() -> None:
    lambda_.Function("api", role="r", dead_letter_config={"target_arn": "arn:aws:sqs:eu-west-1:123456789012:q"})


def mistaken_gcp() -> None:
    storage.Bucket("source", location="us", versioning={"enable": True})  # pyright: ignore[reportArgumentType]


def swallowed_gcp() -> None:
    container: Any = {"image": "scratch", "commands": ["a"], "working_dir": "/"}
    cloudrunv2.Service("api", location="us-central1", template={"containers": [container]})


def right() -> None:
    dynamodb.Table("users", attributes=[{"name": "id", "type": "S"}], hash_key="id")


def right_gcp() -> None:
    storage.Bucket("source", location="us")


def taken() -> None:
    iam.Role("api", name="taken", assume_role_policy=json.dumps({"Statement": [TRUST]}))


def published(source: str = "def handler(event, context): return 1") -> None:
    path = Path(sys.argv[1]) / "function.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("main.py"), source)  # without the time of day
    lambda_.Function(
        "api",
        name="api",
        role=iam.Role("api", name="api", assume_role_policy=json.dumps({"Statement": [TRUST]})).arn,
        runtime="python3.13",
        handler="main.handler",
        code=pulumi.FileArchive(str(path)),
        publish=True,
        snap_start={"apply_on": "PublishedVersions"},
    )


def unpublished() -> None:
    published("print('no wine left', flush=True); exit(1)")


def unmade(zone: str | None = "Z1") -> None:
    """A domain whose mapping fails."""
    missing = lambda_.Alias("missing", name="live", function_name="missing", function_version="1")
    config: Any = SimpleNamespace(tags={}, domain_zone=zone)
    stage: Any = SimpleNamespace(api_id=missing.arn, id=missing.id)
    url, _ = custom_domain(config, "users.example.com", stage, pulumi.ResourceOptions())
    pulumi.export("url", url)


def unmade_by_hand() -> None:
    unmade(zone=None)


def main(folder: str, home: str, verb: str, *programs: str) -> None:
    engine = Engine(Path(folder), Path(home))
    for program in programs:
        with suppress(auto.CommandError):
            getattr(engine.stack, verb)(program=globals()[program], on_output=print, on_error=print, color="never")
    print("outputs:", *engine.stack.workspace.stack_outputs(engine.stack.name))


if __name__ == "__main__":
    main(*sys.argv[1:])
