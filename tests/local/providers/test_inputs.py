"""No input is swallowed: it reaches the cloud and is read back, or the fake provider refuses it."""

import importlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args, get_origin
from unittest.mock import create_autospec

import grpc
import pytest
from pulumi import _types  # pyright: ignore[reportPrivateUsage] - the only description of the input types
from pulumi.runtime import proto

from local.cli.home import ROOT
from local.cloud.gcp.cloud_run import spec as cloud_run_spec
from local.providers.aws.cloud import AwsResource
from local.providers.aws.provider import Aws
from local.providers.compare import observed
from local.providers.control import Control
from local.providers.gcp.provider import Gcp
from local.providers.gcp.types import SERVICE, TYPES
from local.providers.resource import ProviderError
from local.providers.sdk import alternatives, args_type, properties
from local.providers.values import UNKNOWN, Asset, Props, is_list, is_object, pack
from tests.local.providers.conftest import NOWHERE, REGION
from tests.local.providers.conftest import Aws as RunningAws

CONTEXT: grpc.ServicerContext = create_autospec(grpc.ServicerContext)
CLOUD_RUN = "gcp:cloudrunv2/service:Service"


def aws_types() -> Iterator[str]:
    """All types that behave; recorded ones honour every input."""
    for path in (ROOT / "local" / "providers" / "aws").glob("[!_]*.py"):
        for name, found in vars(importlib.import_module(f"local.providers.aws.{path.stem}")).items():
            if isinstance(found, type) and issubclass(found, AwsResource) and found.honours:
                token = f"aws:{path.stem.rstrip('_')}/{name[0].lower()}{name[1:]}:{name}"
                with suppress(ProviderError):  # imported from elsewhere
                    args_type(token)
                    yield token


AWS = sorted(aws_types())
GCP = sorted(token for token, kind in TYPES.items() if kind.honours)


def below(annotation: Any) -> tuple[type | None, bool]:
    """The Args class of an object or of a list's objects, and whether it is a list."""
    for kind in alternatives(annotation):
        listed = get_origin(kind) is Sequence
        for inner in alternatives(get_args(kind)[0]) if listed else [kind]:
            if _types.is_input_type(inner):
                return inner, listed
    return None, False


def leaves(args: type) -> Iterator[tuple[str, ...]]:
    """Every property of an Args class, down to those that have none themselves."""
    for name, annotation in properties(args).items():
        inner, _ = below(annotation)
        yield from ((name, *rest) for rest in leaves(inner)) if inner and properties(inner) else [(name,)]


def given(args: type, path: Sequence[str], value: Any = UNKNOWN) -> Props:
    """Inputs that have nothing but this property, with a value that is of any type by default."""
    inner, listed = below(properties(args)[path[0]])
    value = given(inner, path[1:], value) if inner and path[1:] else value
    return {path[0]: [value] if inner and listed else value}


@pytest.mark.parametrize("token", AWS + GCP)
def test_what_a_type_does_not_honour_is_refused(token: str) -> None:
    provider = Gcp(NOWHERE) if token.startswith("gcp:") else Aws(NOWHERE)
    resource, args = provider.resource(token), args_type(token)
    honours = resource.honours or frozenset()
    paths = list(leaves(args))
    for path in paths:
        request = proto.CheckRequest(type=token, name="x", news=pack({**resource.only, **given(args, path)}))
        refused = [f.reason for f in provider.Check(request, CONTEXT).failures if "the laptop" in f.reason]
        if any(".".join(path[:end]) in honours for end in range(1, len(path) + 1)):
            assert not refused
        else:
            assert len(refused) == 1, path
            [reason] = refused
            assert reason.endswith(f"of {token}: add it to {resource.file}")
            assert (ROOT / resource.file).exists()
    known = {".".join(path[:end]) for path in paths for end in range(1, len(path) + 1)}
    assert honours <= known, "the SDK has no such input"


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        ("aws:apigatewayv2/api:Api", {"protocolType": "WEBSOCKET"}),
        ("aws:apigatewayv2/route:Route", {"apiId": "a", "routeKey": "GET /users"}),
        ("aws:apigatewayv2/stage:Stage", {"apiId": "a", "name": "prod"}),
        ("aws:apigatewayv2/integration:Integration", {"apiId": "a", "integrationType": "HTTP_PROXY"}),
        ("aws:apigatewayv2/integration:Integration", {"apiId": "a", "integrationType": "AWS_PROXY"}),  # format 1.0
    ],
)
def test_a_value_that_the_cloud_does_not_act_on_is_refused(token: str, inputs: Props) -> None:
    failures = Aws(NOWHERE).Check(proto.CheckRequest(type=token, name="x", news=pack(inputs)), CONTEXT).failures
    assert any("the laptop's aws has only" in failure.reason for failure in failures)


@pytest.fixture
def provider(clouds: Path, aws: RunningAws) -> Aws:
    provider = Aws(Control(clouds))
    provider.settings = {"region": REGION}
    return provider


def policy(action: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def made(provider: Aws, token: str, **inputs: Any) -> str:
    return provider.resource(token).create(inputs)


def lives(provider: Aws, folder: Path) -> dict[str, list[Props]]:
    """For each type what its inputs are one after the other: together they have all that it honours and change it."""
    trust, other = (policy("sts:AssumeRole", Principal={"Service": f"{name}.amazonaws.com"}) for name in "ab")
    read, write = (policy(f"dynamodb:{what}Item", Resource="*") for what in ("Get", "Put"))
    archive = folder / "code.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("api.py", "def handler(event, context): return 1")
        file.writestr("other.py", "def handler(event, context): return 2")
    code = Asset(True, str(archive), None, "1")
    role = "arn:aws:iam::123456789012:role/"
    for name in ("made", "other"):
        made(provider, "aws:iam/role:Role", name=name, assumeRolePolicy=trust)
        configuration = {"role": f"{role}made", "runtime": "python3.13", "handler": "api.handler", "code": code}
        made(provider, "aws:lambda/function:Function", name=name, publish=True, **configuration)
    made(provider, "aws:s3/bucket:Bucket", bucket="made")
    api = made(provider, "aws:apigatewayv2/api:Api", name="made", protocolType="HTTP")
    key = "arn:aws:kms:eu-west-1:123456789012:key/a"
    encryption = {"serverSideEncryption": {"enabled": True, "kmsKeyArn": key}}
    tags = [{"tags": {"a": "1", "b": "2"}}, {"tags": {"a": "3"}}]
    objects = [{"bucket": "made", "key": "k", "source": Asset(False, str(archive), None, "1")}] * 2
    return {
        "aws:apigatewayv2/api:Api": [
            {"name": "a", "protocolType": "HTTP", "description": "a", "version": "1"} | tags[0],
            {"name": "b", "protocolType": "HTTP", "description": "b", "version": "2"}
            | {"disableExecuteApiEndpoint": True}
            | tags[1],
        ],
        "aws:apigatewayv2/integration:Integration": [
            {"apiId": api, "integrationType": "AWS_PROXY", "integrationUri": f"arn:{name}", "integrationMethod": method}
            | {"payloadFormatVersion": "2.0", "timeoutMilliseconds": ms, "description": name}
            for name, method, ms in (("a", "POST", 1000), ("b", "GET", 2000))
        ],
        "aws:apigatewayv2/route:Route": [
            {"apiId": api, "routeKey": "$default", "target": f"integrations/{name}", "operationName": name}
            for name in ("a", "b")
        ],
        "aws:apigatewayv2/stage:Stage": [
            {"apiId": api, "name": "$default", "autoDeploy": deploy, "description": name}
            | {"accessLogSettings": {"destinationArn": f"arn:{name}", "format": name}}
            | {"defaultRouteSettings": {"throttlingBurstLimit": limit, "throttlingRateLimit": limit}}
            | labels
            for name, deploy, limit, labels in (("a", True, 1, tags[0]), ("b", False, 2, tags[1]))
        ],
        "aws:dynamodb/table:Table": [
            {"name": "a", "hashKey": "id", "attributes": [{"name": "id", "type": "S"}]} | encryption | settings
            for settings in (
                {"billingMode": "PROVISIONED", "readCapacity": 2, "writeCapacity": 3} | tags[0],
                {"billingMode": "PROVISIONED", "readCapacity": 4, "writeCapacity": 5} | tags[1],
                {"billingMode": "PAY_PER_REQUEST", "deletionProtectionEnabled": True},
                {"pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 7}},
                {"pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 8}},
            )
        ],
        "aws:iam/role:Role": [
            {
                "name": "a",
                "path": "/a/",
                "assumeRolePolicy": document,
                "description": text,
                "maxSessionDuration": seconds,
            }
            | {"permissionsBoundary": f"arn:aws:iam::aws:policy/{text}", "forceDetachPolicies": True}
            | labels
            for document, text, seconds, labels in ((trust, "a", 3600, tags[0]), (other, "b", 7200, tags[1]))
        ],
        "aws:iam/rolePolicy:RolePolicy": [{"name": "a", "role": "made", "policy": text} for text in (read, write)],
        "aws:lambda/alias:Alias": [
            {"name": "a", "functionName": "made", "functionVersion": "1", "description": text}
            | {"routingConfig": {"additionalVersionWeights": {"1": weight}}}
            for text, weight in (("a", 0.1), ("b", 0.2))
        ],
        "aws:lambda/function:Function": [
            {"name": "a", "role": f"{role}made", "runtime": "python3.13", "handler": "api.handler", "code": code}
            | {"description": "a", "memorySize": 256, "timeout": 4, "environment": {"variables": {"A": "1"}}}
            | {"architectures": ["x86_64"], "reservedConcurrentExecutions": 3}
            | {"snapStart": {"applyOn": "PublishedVersions"}}
            | tags[0],
            {"name": "a", "role": f"{role}other", "runtime": "python3.12", "handler": "other.handler", "code": code}
            | {"description": "b", "memorySize": 512, "timeout": 5, "environment": {"variables": {"B": "2"}}}
            | {"architectures": ["x86_64"], "reservedConcurrentExecutions": 4}
            | tags[1],
        ],
        "aws:lambda/permission:Permission": [
            {"statementId": "a", "function": "made", "action": "lambda:InvokeFunction", "qualifier": "1"}
            | {"principal": "apigateway.amazonaws.com", "sourceArn": "arn:a"}
        ],
        "aws:s3/bucket:Bucket": [{"bucket": "other", "forceDestroy": True} | labels for labels in tags],
        "aws:s3/bucketObjectv2:BucketObjectv2": [
            one | {"contentType": type} | labels
            for one, type, labels in zip(objects, ("text/plain", "application/zip"), tags, strict=True)
        ],
        "aws:ssm/parameter:Parameter": [
            {"name": "/a", "type": "String", "value": "a", "description": "a", "tier": "Advanced", "dataType": "text"}
            | tags[0],
            {"name": "/a", "type": "SecureString", "value": "b", "description": "b", "tier": "Standard"}
            | {"dataType": "text"}
            | tags[1],
        ],
    }


def test_a_version_of_a_function_is_found_until_it_is_deleted(provider: Aws, tmp_path: Path) -> None:
    token, get = "aws:lambda/function:Function", "aws:lambda/getFunction:getFunction"
    function, asked = provider.resource(token), {"functionName": "a", "qualifier": "1"}
    function.create({**lives(provider, tmp_path)[token][0], "publish": True})
    assert provider.function(get, asked)["memorySize"] == 256
    provider.cloud.client("lambda").delete_function(FunctionName="a", Qualifier="1")
    with pytest.raises(ProviderError, match=r"^reading Lambda Function \(a\): couldn't find resource$"):
        provider.function(get, asked)


NOT_TOLD = {
    "aws:iam/role:Role": {"forceDetachPolicies"},
    "aws:s3/bucket:Bucket": {"forceDestroy", "bucketPrefix"},
    "aws:s3/bucketObjectv2:BucketObjectv2": {"source"},  # bytes, of which the cloud tells a hash
    # Where the code is from, the provider's own, and what moto forgets; test_aws.py has them.
    "aws:lambda/function:Function": {
        *("code", "codeSha256", "s3Bucket", "s3Key", "s3ObjectVersion", "publish", "skipDestroy"),
        *("loggingConfig", "tracingConfig"),
    },
}


@pytest.mark.parametrize("token", AWS)
def test_what_a_type_honours_is_read_back(provider: Aws, tmp_path: Path, token: str) -> None:
    first, *others = lives(provider, tmp_path)[token]
    resource, untold = provider.resource(token), NOT_TOLD.get(token, set())
    identifier, known = resource.create(first), first
    tried = set(untold)
    for inputs in (first, *others):
        if inputs is not first:
            resource.update(identifier, known, inputs)
        live = {name: value for name, value in (resource.read(identifier, inputs) or {}).items() if value is not None}
        assert observed(inputs, live, {}, {}) == inputs
        assert inputs.keys() - untold <= live.keys()
        known = inputs | live
        tried |= inputs.keys()
    assert {path.partition(".")[0] for path in resource.honours or ()} == tried


SPEC = {
    "name": "api",
    "scaling": {"minInstanceCount": 1, "maxInstanceCount": 2},
    "traffics": [{"revision": "a", "percent": 40}, {"revision": "b", "percent": 60, "tag": "c"}],
    "template": {
        "annotations": {"a": "b"},
        "timeout": "10s",
        "maxInstanceRequestConcurrency": 3,
        "scaling": {"maxInstanceCount": 4},
        "containers": [
            {
                "commands": ["python3"],
                "args": ["-m"],
                "envs": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "valueSource": {"secretKeyRef": {"secret": "s", "version": "1"}}},
                ],
                "sourceCode": {"cloudStorageSource": {"bucket": "b", "object": "o", "generation": "1"}},
                "startupProbe": {
                    "httpGet": {"path": "/"},
                    "initialDelaySeconds": 1,
                    "periodSeconds": 2,
                    "timeoutSeconds": 1,
                    "failureThreshold": 5,
                },
            }
        ],
    },
}
ELSEWHERE = {  # in the provider, in cloud_run.py, and in the traffic's revision
    *("location", "project", "deletionProtection", "deletionPolicy", "template.revision", "traffics.type"),
}


def outcome(inputs: Props) -> Any:
    try:
        return cloud_run_spec.spec(inputs), cloud_run_spec.scaling(inputs), cloud_run_spec.targets(inputs)
    except cloud_run_spec.SpecError as error:
        return str(error)


def changed(value: Any, path: Sequence[str]) -> Any:
    """The value with what is at the path made another; in a list, in every item that has it."""
    if is_list(value) and path:
        return [changed(item, path) for item in value]
    if is_list(value):
        return [*value, "x"]
    if is_object(value) and not path:
        return value | {"x": "y"}
    if is_object(value):
        return value | {path[0]: changed(value[path[0]], path[1:])} if path[0] in value else value
    return value + 1 if isinstance(value, int) else f"1{value}"


@pytest.mark.parametrize("path", sorted(SERVICE - ELSEWHERE))
def test_cloud_run_acts_on_what_it_honours(path: str) -> None:
    inputs = changed(deepcopy(SPEC), path.split("."))
    assert inputs != SPEC
    assert outcome(inputs) != outcome(SPEC)
