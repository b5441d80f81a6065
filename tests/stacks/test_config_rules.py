"""Rules across a stack's keys, against its last deployment, and against the account's quota."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi
import pytest
import yaml

from stacks.config_rules import ENVIRONMENT_BYTES, STACK_ENVIRONMENT_BYTES, UNUSED
from tests.stacks.deployment import CALLS, KEYS, PROJECT, ROOT, Answer, Deployment, deploy, stack_config

QUOTA = "aws:servicequotas/getServiceQuota:getServiceQuota"
MAX_INSTANCES, ORIGINS = f"{PROJECT}:maxInstances", f"{PROJECT}:corsOrigins"
DOMAIN, ZONE = f"{PROJECT}:domain", f"{PROJECT}:domainZone"
EVERY_KEY = sorted(
    {f"{PROJECT}:{key}" for key in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]}
    | {"momento:apiKey", "momento:endpoint", "aws:region", "gcp:project", "gcp:region"}
)
NEVER_RIGHT = {
    "blank": " \t",
    "a tab": "1\t",
    "a newline": "none\n",
    "two lines": "true\nfalse",
    "NUL": "none\0",
    "digits that are not ASCII": "\u0663",
    "full-width digits": "\uff11\uff10",
    "an escape": "\x1b[2J",
}
WRONG_OF_ALL_BUT_KEYS = {"a huge number": "9" * 5000, "a negative number": "-1", "an object": "{}"}
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
ANOTHER = {"none": BOUNDARY, "8": "9", "0": "1", "1000": "1001", "500": "501", "false": "true", None: "us-central1"}
# By Momento, by an issuer, and by whoever promotes.
CHOSEN_BY_OTHERS = {*KEYS, f"{PROJECT}:authAudience", f"{PROJECT}:rolloutAfter"}


def errors(*args: Any, **kwargs: Any) -> list[str]:
    with pytest.raises(pulumi.RunError) as caught:
        deploy(*args, **kwargs)
    return str(caught.value).split("\n")


def assert_refused(cloud: str, key: str, value: str) -> None:
    lines = errors(cloud, {key: value})
    about_the_key = [line for line in lines if line.startswith(f"Pulumi.{cloud}.yaml: {key} ")]
    assert len(about_the_key) == 1, lines
    assert lines == about_the_key
    assert len(about_the_key[0]) < 300
    assert key not in KEYS or not value.strip() or value not in about_the_key[0]


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
@pytest.mark.parametrize("key", EVERY_KEY)
def test_no_key_takes_an_empty_value(cloud: str, key: str) -> None:
    assert_refused(cloud, key, "")


@pytest.mark.parametrize("key", EVERY_KEY)
@pytest.mark.parametrize("value", NEVER_RIGHT.values(), ids=NEVER_RIGHT)
def test_no_key_takes_what_is_never_right(key: str, value: str) -> None:
    assert_refused("gcp" if key.startswith("gcp:") else "aws", key, value)


@pytest.mark.parametrize("key", sorted({*EVERY_KEY} - CHOSEN_BY_OTHERS))
@pytest.mark.parametrize("value", WRONG_OF_ALL_BUT_KEYS.values(), ids=WRONG_OF_ALL_BUT_KEYS)
def test_no_key_takes_numbers_and_objects_out_of_range(key: str, value: str) -> None:
    assert_refused("gcp" if key.startswith("gcp:") else "aws", key, value)


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_keys_that_a_cloud_has_no_use_for(cloud: str) -> None:
    for key, default in UNUSED[cloud].items():
        full = key if ":" in key else f"{PROJECT}:{key}"
        value = ANOTHER[default]
        [line] = errors(cloud, {full: value})
        fix = f"`pulumi config rm {key} -s {cloud}`"
        assert line == f"Pulumi.{cloud}.yaml: {full} is {value!r}, which has no effect on {cloud}: {fix}"


def test_the_defaults_of_keys_without_use_are_those_of_the_project() -> None:
    for keys in UNUSED.values():
        for key, default in keys.items():
            assert default == stack_config("aws").get(f"{PROJECT}:{key}")


@pytest.mark.parametrize(
    ("cloud", "keys"),
    [
        pytest.param("aws", EVERY_KEY, id="aws"),
        pytest.param("gcp", UNUSED["aws"], id="gcp alone"),
        pytest.param("gcp", EVERY_KEY, id="gcp", marks=pytest.mark.prove),
    ],
)
def test_the_app_or_the_cloud_has_a_use_for_every_other_key(cloud: str, keys: Iterable[str]) -> None:
    """Every other key changes the resources or the outputs of the stack, or it would be silently ignored."""
    changes = {
        "environment": "production",
        "expires": "2036-11-29T16:00:00Z",
        "recoveryDays": "8",
        "cacheTtlSeconds": "301",
        "momentoApiKey": "another key",
        "demo": "false",
        "artifact": f"sha256:{'a' * 64}",
        "rollout": "10",
        "rolloutSteps": "5",
        "rolloutStepSeconds": "60",
        "rolloutMinRequests": "50",
        "rolloutMaxErrors": "2",
        "rolloutMaxSlowdown": "3",
        "rolloutBy": "ann@host:1",
        "rolloutUntil": "2036-11-26T16:00:00Z",
        "memoryMb": "2048",
        "snapStart": "true",
        "concurrency": "9",
        "minInstances": "1",
        "maxInstances": "11",
        "timeoutSeconds": "11",
        "auth": "https://login.example.com/",
        "authAudience": "others",
        "corsOrigins": "https://www.example.com",
        "throttleRate": "1001",
        "throttleBurst": "501",
        "domain": "users.example.com",
        "domainZone": "Z1",
        "permissionsBoundary": BOUNDARY,
        "alarmEmail": "ops@example.com",
        "tracing": "true",
        "logRetentionDays": "90",
    }
    needs = {
        "environment": {"auth": "https://login.example.com/", "demo": "false"},
        "authAudience": {"auth": "https://login.example.com/"},
        "domainZone": {"domain": "users.example.com"},
        "rolloutBy": {"rollout": "10", "rolloutBy": "bob@host:1", "rolloutUntil": "2036-11-26T15:00:00Z"},
    }
    needs["rolloutUntil"] = needs["rolloutBy"]
    digests = {"releases": [{"digest": f"sha256:{letter * 64}", "revision": letter} for letter in "ab"]}
    before = digests | {"stableDigest": f"sha256:{'b' * 64}", "stableRevision": "b"}
    declared = {key.removeprefix(f"{PROJECT}:") for key in EVERY_KEY if key.startswith(PROJECT)}
    other = {"cloud", "persistence", "rolloutAfter"}  # the last is without effect unless somebody is rolling out
    assert set(changes) == declared - other, "give each key another value in `changes`"

    def inputs(settings: dict[str, str]) -> str:
        """All resources' inputs and the outputs, without the id of the deployment, which is another each time."""
        stack = deploy(cloud, {f"{PROJECT}:{name}": value for name, value in settings.items()}, before=before)
        resources = {f"{one.type}::{one.name}": one.inputs for one in stack.resources}
        made = json.dumps([resources, stack.outputs], sort_keys=True, default=str)
        return made.replace(stack.outputs["deployment"] or "no deployment", "")

    bare = inputs({})
    assert inputs({"throttleRate": "1000"}) == bare, "a key with its default makes no difference"
    for key in sorted(changes.keys() & {key.removeprefix(f"{PROJECT}:") for key in keys} - UNUSED[cloud].keys()):
        base = needs.get(key, {})
        assert inputs(base | {key: changes[key]}) != (inputs(base) if base else bare), key


@pytest.mark.parametrize(
    ("cloud", "output", "key", "value"),
    [
        ("aws", "region", "aws:region", "eu-west-1"),
        ("gcp", "region", "gcp:region", "europe-west1"),
        ("gcp", "account", "gcp:project", "another-project"),
    ],
)
def test_a_stack_does_not_move(cloud: str, output: str, key: str, value: str) -> None:
    before = deploy(cloud).outputs
    [line] = errors(cloud, {key: value}, before=before)
    way = "destroy it first, or create another stack"
    assert line == f"Pulumi.{cloud}.yaml: {key} is {value!r}, but the stack is in {before[output]}: {way}"
    destroyed = deploy(cloud, {key: value}, before={})
    assert destroyed.outputs[output] == value


def test_a_stack_does_not_change_its_cloud() -> None:
    before = deploy("aws").outputs
    [line] = errors("gcp", stack="aws", before=before)
    way = "destroy it first, or create another stack"
    assert line == f"Pulumi.aws.yaml: better-together:cloud is 'gcp', but the stack is in aws: {way}"


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_a_stack_from_before_the_output_account(cloud: str) -> None:
    outputs = deploy(cloud).outputs
    before = {name: value for name, value in outputs.items() if name != "account"}
    assert deploy(cloud, before=before).outputs == outputs
    [line] = errors(cloud, {f"{cloud}:region": "me-south-1" if cloud == "aws" else "me-central1"}, before=before)
    assert f"but the stack is in {before['region']}: " in line


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"auth": "none"}, "auth is 'none', which lets everybody write: production needs the URL of an issuer"),
        ({"demo": "true"}, "demo is 'true', which lets requests write demo users: production needs false"),
        (
            {"expires": "2036-11-29T16:00:00Z"},
            "expires is '2036-11-29T16:00:00Z', when `make reap` destroys the stack: production needs none",
        ),
    ],
)
@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_production_is_not_for_everybody(stack: str, change: Mapping[str, str], problem: str) -> None:
    changes = {f"{PROJECT}:{key}": value for key, value in change.items()}
    assert errors(stack, changes, stack=stack) == [f"Pulumi.{stack}.yaml: {PROJECT}:{problem}"]
    development = deploy(stack, changes | {f"{PROJECT}:environment": "development"}, stack=stack)
    assert development.outputs["cloud"] == stack.partition("-")[0]


def test_no_more_instances_are_kept_warm_than_there_may_be() -> None:
    changes = {f"{PROJECT}:minInstances": "20", f"{PROJECT}:maxInstances": "10"}
    wrong = f"Pulumi.gcp.yaml: {PROJECT}:minInstances is 20: it takes up to maxInstances, 10"
    assert errors("gcp", changes) == [wrong]


@pytest.mark.parametrize("region", ["ap-east-2", "ap-southeast-6"])
def test_regions_without_snap_start(region: str) -> None:
    changes = {"aws:region": region, f"{PROJECT}:snapStart": "true"}
    problem = f"snapStart is 'true', and {region} has no SnapStart: set false, or take another region"
    assert errors("aws", changes) == [f"Pulumi.aws.yaml: {PROJECT}:{problem}"]
    assert deploy("aws", {"aws:region": region}).outputs["region"] == region


def test_an_apex_domain() -> None:
    apex = "better-together:domain is 'example.com', an apex domain, which cannot have the necessary CNAME record"
    way = "a subdomain like users.example.com"
    assert errors("aws", {DOMAIN: "example.com"}) == [f"Pulumi.aws.yaml: {apex}: set domainZone, or {way}"]
    assert deploy("aws", {DOMAIN: "example.com", ZONE: "Z1"}).outputs["url"] == "https://example.com"
    for zone in ("none", "example-com"):
        assert errors("gcp", {DOMAIN: "example.com", ZONE: zone}) == [f"Pulumi.gcp.yaml: {apex}: it takes {way}"]
    for cloud in ("aws", "gcp"):
        assert deploy(cloud, {DOMAIN: "example.co.uk"}).outputs["url"] == "https://example.co.uk"


def quota(value: float) -> Mapping[str, Answer]:
    return {**CALLS, QUOTA: {"value": value}}


@pytest.mark.parametrize(
    ("limit", "instances", "allowed"), [(10, "10", "0"), (1000, "901", "0, or up to 900"), (100, "1", "0")]
)
def test_more_instances_than_the_account_can_reserve(limit: int, instances: str, allowed: str) -> None:
    problem = f"the account has {limit} concurrent executions, 100 of which Lambda keeps unreserved: it takes {allowed}"
    assert errors("aws", {MAX_INSTANCES: instances}, calls=quota(limit)) == [
        f"Pulumi.aws.yaml: {MAX_INSTANCES} is {instances}, but {problem}"
    ]


@pytest.mark.parametrize(("limit", "instances"), [(10, "0"), (1000, "900"), (101, "1")])
def test_as_many_instances_as_the_account_can_reserve(limit: int, instances: str) -> None:
    function = deploy("aws", {MAX_INSTANCES: instances}, calls=quota(limit)).inputs("lambda/function:Function")
    assert function.get("reservedConcurrentExecutions", 0) == int(instances)


def test_an_account_that_does_not_tell_its_quota(caplog: pytest.LogCaptureFixture) -> None:
    calls = {token: answer for token, answer in CALLS.items() if token != QUOTA}
    stack = deploy("aws", {MAX_INSTANCES: "10"}, calls=calls)
    assert stack.inputs("lambda/function:Function")["reservedConcurrentExecutions"] == 10
    [warning] = caplog.messages
    assert warning.startswith("maxInstances may be more than the account allows; its quota cannot be read: ")
    assert "AccessDenied" in warning


def environment(stack: Deployment) -> dict[str, str]:
    if stack.outputs["cloud"] == "aws":
        return stack.inputs("lambda/function:Function")["environment"]["variables"]
    [container] = stack.inputs("cloudrunv2/service:Service")["template"]["containers"]
    return {env["name"]: env.get("value", "") for env in container["envs"]}


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_more_environment_than_the_cloud_takes(cloud: str) -> None:
    platform, limit = ENVIRONMENT_BYTES[cloud]
    used = len(json.dumps(environment(deploy(cloud))))
    origin = "https://{:04}.example.com"
    fits = ",".join(map(origin.format, range((limit - used - STACK_ENVIRONMENT_BYTES) // len(origin.format(0) + ","))))
    sent = environment(deploy(cloud, {ORIGINS: fits}))
    assert max(map(len, sent.values())) == len(fits)
    assert len(json.dumps(sent)) < limit
    for origins in (",".join(map(origin.format, range(limit // len(origin.format(0))))), fits * 3):
        [line] = errors(cloud, {ORIGINS: origins.replace("comhttps", "com,https")})
        assert line.startswith(f"Pulumi.{cloud}.yaml: {ORIGINS} is too long: {platform}'s limit is {limit} bytes of ")
    [line] = errors(cloud, {f"{PROJECT}:auth": f"https://login.example.com/{'a' * limit}"})
    assert line.startswith(f"Pulumi.{cloud}.yaml: better-together:auth is too long: ")


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_stacks_add_no_more_than_the_rule_says(cloud: str) -> None:
    """With the longest names that a stack and a project can have, and a version of the key of seven digits."""
    longest = {"gcp:project": "p" * 30} if cloud == "gcp" else {}
    stack = deploy(cloud, {f"{PROJECT}:tracing": "true", **longest}, stack="a" * 14)
    variables = environment(stack)
    of_the_app = {
        "PERSISTENCE",
        "MOMENTO_ENDPOINT",
        "CACHE_TTL_SECONDS",
        "DEMO",
        "METRICS_NAMESPACE",
        "TIMEOUT_SECONDS",
    }
    added = {name: value for name, value in variables.items() if name not in of_the_app}
    assert len(json.dumps(added)) + len("000000") <= STACK_ENVIRONMENT_BYTES
