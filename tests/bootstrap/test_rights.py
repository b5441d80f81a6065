"""The tables of rights are complete, name what exists, and are what docs/deployer.md says."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session  # pyright: ignore[reportMissingTypeStubs]
import pytest
from botocore import xform_name  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from bootstrap.aws import rights as aws
from bootstrap.aws.policies import BOUNDED, LIMIT, Deployer
from bootstrap.gcp import rights as gcp
from tests.bootstrap.conftest import ROOT

DEPLOYER = Deployer("better-together", "123456789012", "development", ["aws-prod"])
KEY = "arn:aws:kms:ap-southeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ALLOWED = {action for right in aws.RIGHTS for action in right.actions}
ACTIONS = sorted(ALLOWED | set(aws.RESTORE.actions))

# boto3's name of a service where it is another than in actions.
SERVICES = {"apigateway": "apigatewayv2", "servicequotas": "service-quotas"}
# The operations that need an action of another name:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and of the other services
OPERATIONS: Mapping[str, set[str]] = {
    "lambda:InvokeFunction": {"Invoke"},
    "s3:GetAccelerateConfiguration": {"GetBucketAccelerateConfiguration"},
    "s3:GetBucketCORS": {"GetBucketCors"},
    "s3:GetBucketObjectLockConfiguration": {"GetObjectLockConfiguration"},
    "s3:GetBucketPublicAccessBlock": {"GetPublicAccessBlock"},
    "s3:GetEncryptionConfiguration": {"GetBucketEncryption"},
    "s3:GetLifecycleConfiguration": {"GetBucketLifecycleConfiguration"},
    "s3:GetObject": {"GetObject", "HeadObject"},
    "s3:GetReplicationConfiguration": {"GetBucketReplication"},
    "s3:ListBucket": {"HeadBucket", "ListObjectsV2"},
    "s3:ListBucketVersions": {"ListObjectVersions"},
    "s3:PutBucketPublicAccessBlock": {"PutPublicAccessBlock"},
    "s3:PutBucketTagging": {"PutBucketTagging", "DeleteBucketTagging"},
    "s3:DeleteObjectVersion": {"DeleteObject"},
}
WITHOUT_OPERATION = {
    "iam:PassRole": "asked of who gives a role to a service",
    **{
        f"logs:{verb}LogDelivery": "asked of who lets API Gateway write access logs"
        for verb in ("Create", "Get", "Update", "Delete")
    },
    "logs:ListLogDeliveries": "asked of who lets API Gateway write access logs",
}
METHODS = {f"apigateway:{method}": method for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}
# What the laptop's providers would call for inputs that the stacks do not give.
UNUSED = {
    "iam:DeleteRolePermissionsBoundary",
    "iam:DetachRolePolicy",
}


@cache
def model(service: str) -> Any:
    session: Any = botocore.session.Session()
    return session.get_service_model(SERVICES.get(service, service))


def needed(service: str, operation: str) -> str:
    """The action for an operation."""
    if service == "apigatewayv2":
        return f"apigateway:{model(service).operation_model(operation).http['method']}"
    renamed = (
        action for action, names in OPERATIONS.items() if operation in names and action.startswith(f"{service}:")
    )
    return next(renamed, f"{service}:{operation}")


def calls(file: Path) -> set[str]:
    """The actions for all that a file of Python calls of the services that it names."""
    text = file.read_text()
    services = set(
        re.findall(r'service = "(\w+)"', text) + re.findall(r'(?:aws|cloud)\.client\((?:\w+, )?"(\w+)"', text)
    )
    called = {*re.findall(r"\.(\w+)\(", text), *re.findall(r'get_paginator\("(\w+)"', text)}
    called |= {f"{verb}_route" for verb in re.findall(r'f"(\w+)_\{self\.part', text)}
    return {
        needed(service, operation)
        for service in services
        for operation in model(service).operation_names
        if xform_name(operation) in called
    }


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_exists(action: str) -> None:
    service, name = action.split(":")
    if action in WITHOUT_OPERATION or action in METHODS:
        return
    operations = OPERATIONS.get(action, {name})
    models = ["s3", "s3control"] if service == "s3" else [service]
    assert operations <= {operation for one in models for operation in model(one).operation_names}


@pytest.mark.parametrize("action", [*OPERATIONS, *WITHOUT_OPERATION, *METHODS])
def test_an_action_of_the_tests_tables_is_in_a_policy(action: str) -> None:
    assert action in ALLOWED


CALLERS = [*(ROOT / "local" / "providers" / "aws").glob("*.py"), *(ROOT / "ops").glob("*.py")]


@pytest.mark.parametrize(
    "file", [file for file in CALLERS if calls(file)], ids=lambda file: str(file.relative_to(ROOT))
)
def test_what_the_laptops_providers_and_ops_call_is_allowed(file: Path) -> None:
    assert not calls(file) - ALLOWED - UNUSED


def test_the_calls_are_found() -> None:
    found = set[str]().union(*map(calls, CALLERS))
    services = {action.split(":")[0] for action in found}
    assert services == {"apigateway", "dynamodb", "iam", "lambda", "logs", "s3", "ssm"}
    assert found >= UNUSED, "no longer called"


def registered(cloud: str) -> set[str]:
    files = (ROOT / "tests" / "stacks" / "snapshots").glob(f"{cloud}*.json")
    names = [name for file in files for name in json.loads(file.read_text())]
    return {name.partition("::")[0].partition(":")[2] for name in names if name.startswith(f"{cloud}:")}


@pytest.mark.parametrize(("cloud", "rights"), [("aws", aws.RIGHTS), ("gcp", gcp.RIGHTS)], ids=["aws", "gcp"])
def test_every_type_of_the_stacks_has_rights_and_no_other(
    cloud: str, rights: tuple[aws.Right | gcp.Right, ...]
) -> None:
    assert {kind for right in rights for kind in right.types} == registered(cloud), (
        f"bootstrap/{cloud}/rights.py lists who may make which type"
    )


@pytest.mark.parametrize("stack", ["aws", "aws-prod"])
def test_the_boundary_allows_what_the_stacks_give_to_the_function(stack: str) -> None:
    found = json.loads((ROOT / "tests" / "stacks" / "snapshots" / f"{stack}.json").read_text())
    given = json.loads(found["aws:iam/rolePolicy:RolePolicy::function"]["policy"])["Statement"]
    assert given
    most = {action for right in aws.APP for action in right.actions}
    assert {action for statement in given for action in statement["Action"]} <= most


def test_a_policy_keeps_to_the_limit() -> None:
    policies = DEPLOYER.shared_policies()
    assert max(map(len, policies)) <= LIMIT
    assert len(policies) <= 10, "a role takes no more"
    allowed = {action for policy in policies for s in json.loads(policy)["Statement"] for action in s["Action"]}
    assert allowed | {action for right in BOUNDED for action in right.actions} == ALLOWED
    own = DEPLOYER.own_policy("state-better-together-123456789012-ap-southeast-1", KEY)
    assert len(own) <= 10_240, "of all policies in the role together"
    assert len(DEPLOYER.boundary_policy()) <= LIMIT


UNNAMED = {
    "acm:DescribeCertificate": "certificates have no names",
    "acm:RequestCertificate": "takes no resource",
    "apigateway:GET": "neither have APIs",
    "cloudwatch:DescribeAlarms": "takes no resource",
    "iam:CreateServiceLinkedRole": "the role is API Gateway's own",
    "logs:DescribeLogGroups": "log deliveries take no resource",
    "route53:GetChange": "a change has no name",
    "route53:GetHostedZone": "the zone is the stack's choice",
    "sns:Unsubscribe": "takes no resource",
    "servicequotas:GetServiceQuota": "quotas are the account's",
    "ssm:DescribeParameters": "takes no resource",
}


@pytest.mark.parametrize("right", aws.RIGHTS, ids=lambda right: right.actions[0])
def test_a_right_is_for_what_has_the_projects_name(right: aws.Right) -> None:
    assert all("{name}" in resource for resource in right.resources) != (right.actions[0] in UNNAMED)
