"""Previews a stack that breaks rules, with the pack on, and prints what the engine says.

A process of its own, as Pulumi leaves threads and sockets behind when an inline program fails.
python -m tests.policy.careless FOLDER
"""

import sys
from pathlib import Path

import pulumi
from pulumi import automation as auto
from pulumi_aws import dynamodb, lambda_
from pulumi_gcp import projects, storage

from local.cli.engine import POLICY_PACK
from tests.local.providers.conftest import Engine

PRODUCTION = {"project": "test", "stack": "test", "environment": "production"}


def program() -> None:
    dynamodb.Table(
        "users",
        attributes=[{"name": "id", "type": "S"}],
        hash_key="id",
        point_in_time_recovery={"enabled": True},
        tags=PRODUCTION,
    )
    lambda_.Function(
        "api",
        runtime="python3.13",
        handler="app.handler",
        code=pulumi.AssetArchive({"app.py": pulumi.StringAsset("pass")}),
        role="arn:aws:iam::123456789012:role/api",
        environment={"variables": {"MODE": pulumi.Output.secret("hunter2")}},
        logging_config={"log_format": "Text", "log_group": "api"},
        tags=PRODUCTION,
    )
    storage.Bucket("source", location="us", public_access_prevention="enforced")
    projects.IAMMember("everybody", project="laptop", role="roles/owner", member="allUsers")


def main(folder: Path) -> None:
    engine = Engine(folder, folder / "nowhere")
    try:
        engine.stack.preview(
            program=program, policy_packs=[POLICY_PACK], on_output=print, on_error=print, color="never"
        )
    except auto.CommandError:
        print("stopped")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
