"""Invalid configuration: all errors at once, one line each with the stack file, key, value and allowed values."""

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from local.cli.stack_files import plain_config
from stacks.config_keys import NAME
from tests.stacks.deployment import KEYS, PROJECT, deploy

HOSTS = "a host, or http://host:port"
AWS_REGIONS = "a commercial region of AWS"
ORIGINS = "none, or origins like https://a.example,https://b.example"
STEPS = "increasing percents from 1 to 99, like 10,50"
HOLDERS = "none, or a holder like ann@host:1234"
TIMES = "none, or a time like 2026-11-26T16:00:00Z"
RETENTIONS = "1 or 3 or 5 or 7 or 14 or 30 or 60 or 90 or 120 or 150 or 180 or 365"

VARIABLES = {"momento:apiKey": "MOMENTO_API_KEY", "better-together:momentoApiKey": "MOMENTO_APP_API_KEY"}


@pytest.fixture(autouse=True)
def no_keys_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)


def errors(*args: Any, **kwargs: Any) -> list[str]:
    with pytest.raises(pulumi.RunError) as caught:
        deploy(*args, **kwargs)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("cloud", "key", "value", "problem"),
    [
        ("aws", "better-together:cloud", "azure", "is 'azure': it takes aws or gcp"),
        ("aws", "better-together:persistence", "mongodb", "is 'mongodb': it takes dynamodb on aws"),
        ("aws", "better-together:persistence", "firestore", "is 'firestore': it takes dynamodb on aws"),
        ("gcp", "better-together:persistence", "dynamodb", "is 'dynamodb': it takes firestore on gcp"),
        ("aws", "better-together:cacheTtlSeconds", "0", "is '0': it takes a whole number from 1 to 86400"),
        ("aws", "better-together:cacheTtlSeconds", "86401", "is '86401': it takes a whole number from 1 to 86400"),
        ("aws", "better-together:demo", "yes", "is 'yes': it takes true or false"),
        (
            "aws",
            "better-together:auth",
            "http://a.b/",
            "is 'http://a.b/': it takes none, or the https URL of an issuer",
        ),
        ("gcp", "better-together:auth", "a.b", "is 'a.b': it takes none, or the https URL of an issuer"),
        ("gcp", "better-together:authAudience", "a b", "is 'a b': it takes the audience of tokens"),
        ("aws", "better-together:cacheTtlSeconds", "soon", "is 'soon': it takes a whole number from 1 to 86400"),
        ("aws", "aws:region", "us-central1", f"is 'us-central1': it takes {AWS_REGIONS}"),
        ("gcp", "gcp:region", "us-east-1", "is 'us-east-1': it takes a region of Google Cloud"),
        ("gcp", "gcp:project", "My Project", "is 'My Project': it takes the id of a project"),
        ("gcp", "momento:endpoint", "https://momento", f"is 'https://momento': it takes {HOSTS}"),
        ("aws", "better-together:environment", "prod", "is 'prod': it takes development or production"),
        ("aws", "better-together:recoveryDays", "36", "is '36': it takes a whole number from 1 to 35"),
        (
            "aws",
            "better-together:expires",
            "2026-11-29",
            "is '2026-11-29': it takes none, or a time like 2026-11-29T16:00:00Z",
        ),
        (
            "aws",
            "better-together:artifact",
            "v2",
            "is 'v2': it takes build, promoted, or the sha256:... of an artifact",
        ),
        ("gcp", "better-together:rollout", "101", "is '101': it takes a whole number from 0 to 100"),
        ("aws", "better-together:rolloutSteps", "0,50", f"is '0,50': it takes {STEPS}"),
        ("aws", "better-together:rolloutSteps", "50,100", f"is '50,100': it takes {STEPS}"),
        ("gcp", "better-together:rolloutSteps", "50,10", f"is '50,10': it takes {STEPS}"),
        ("gcp", "better-together:rolloutSteps", "10,10", f"is '10,10': it takes {STEPS}"),
        ("aws", "better-together:rolloutStepSeconds", "0", "is '0': it takes a whole number from 1 to 3600"),
        ("aws", "better-together:rolloutMinRequests", "19", "is '19': it takes a whole number from 20 to 5000"),
        ("aws", "better-together:rolloutMaxErrors", "101", "is '101': it takes a whole number from 0 to 100"),
        ("aws", "better-together:rolloutMaxSlowdown", "0", "is '0': it takes a whole number from 1 to 10"),
        ("aws", "better-together:rolloutUntil", "2026-11-26 16:00", f"is '2026-11-26 16:00': it takes {TIMES}"),
        ("aws", "better-together:rolloutUntil", "2026-13-26T16:00:00Z", f"is '2026-13-26T16:00:00Z': it takes {TIMES}"),
        ("aws", "better-together:rolloutBy", "a b", f"is 'a b': it takes {HOLDERS}"),
        ("aws", "better-together:rolloutBy", "ann", "is 'ann' and rolloutUntil 'none': set both"),
        ("gcp", "better-together:rolloutAfter", "a" * 129, f"is {'a' * 60!r}... (129 characters): it takes {HOLDERS}"),
        ("gcp", "better-together:memoryMb", "256", "is '256': it takes a whole number from 512 to 4096"),
        ("gcp", "better-together:concurrency", "81", "is '81': it takes a whole number from 1 to 80"),
        ("gcp", "better-together:minInstances", "101", "is '101': it takes a whole number from 0 to 100"),
        ("gcp", "better-together:maxInstances", "0", "is '0': it takes a whole number from 1 to 1000"),
        ("aws", "better-together:timeoutSeconds", "30", "is '30': it takes a whole number from 10 to 29"),
        ("aws", "better-together:corsOrigins", "*", f"is '*': it takes {ORIGINS}"),
        ("aws", "better-together:corsOrigins", "https://a.b/", f"is 'https://a.b/': it takes {ORIGINS}"),
        ("aws", "better-together:throttleRate", "0", "is '0': it takes a whole number from 1 to 10000"),
        ("aws", "better-together:throttleBurst", "0", "is '0': it takes a whole number from 1 to 5000"),
        ("aws", "better-together:domain", "a", "is 'a': it takes none, or a name like users.example.com"),
        ("aws", "better-together:domainZone", "Z1", "is 'Z1', but there is no domain: set domain, or set this to none"),
        ("aws", "better-together:alarmEmail", "ops", "is 'ops': it takes none, or an address like ops@example.com"),
        ("aws", "better-together:tracing", "1", "is '1': it takes true or false"),
        ("aws", "better-together:logRetentionDays", "31", f"is '31': it takes {RETENTIONS}"),
        ("aws", "better-together:rolout", "10", "is not known: did you mean better-together:rollout?"),
        ("gcp", "momento:endpiont", "a", "is not known: did you mean momento:endpoint?"),
        (
            "aws",
            "better-together:zzz",
            "1",
            "is not known: `pulumi config rm better-together:zzz -s aws`",
        ),
    ],
)
def test_a_wrong_value(cloud: str, key: str, value: str, problem: str) -> None:
    assert errors(cloud, {key: value}) == [f"Pulumi.{cloud}.yaml: {key} {problem}"]


def test_a_zone_is_wrong_by_itself_and_without_a_domain() -> None:
    domain, zone = "better-together:domain", "better-together:domainZone"
    wrong = f"Pulumi.aws.yaml: {zone} is 'a.b': it takes none"
    assert errors("aws", {domain: "users.example.com", zone: "a.b"}) == [f"{wrong}, or a zone of the cloud's DNS"]
    alone = errors("aws", {zone: "a", "better-together:demo": "yes"})
    assert [line.split()[1] for line in alone] == ["better-together:demo", zone]


@pytest.mark.parametrize(
    ("key", "fix"),
    [
        ("gcp:project", "set the id of a project with `pulumi config set gcp:project ... -s gcp`"),
        ("momento:endpoint", f"set {HOSTS} with `pulumi config set momento:endpoint ... -s gcp`"),
        ("momento:apiKey", "set it in MOMENTO_API_KEY or with `pulumi config set --secret momento:apiKey -s gcp`"),
        (
            "better-together:momentoApiKey",
            "set it in MOMENTO_APP_API_KEY or with `pulumi config set --secret momentoApiKey -s gcp`",
        ),
    ],
)
def test_a_missing_value(key: str, fix: str) -> None:
    assert errors("gcp", {key: None}) == [f"Pulumi.gcp.yaml: {key} is missing: {fix}"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_in_plain_text_is_refused_and_not_repeated(key: str) -> None:
    [line] = errors("aws", plain=key)
    assert line.startswith(f"Pulumi.aws.yaml: {key} is in plain text: set it with `pulumi config set --secret ")
    assert KEYS[key] not in line


@pytest.mark.parametrize(("key", "variable"), VARIABLES.items())
def test_a_key_in_the_environment(monkeypatch: pytest.MonkeyPatch, key: str, variable: str) -> None:
    monkeypatch.setenv(variable, "the environment's")
    assert deploy("gcp", {key: None}).outputs["cloud"] == "gcp"
    [line] = errors("gcp", {key: "the file's"}, plain=key)
    assert "is in plain text" in line, "the stack's file comes first"
    for value, problem in (("  ", "is missing"), ("key\n", "has characters that no key contains")):
        monkeypatch.setenv(variable, value)
        [line] = errors("gcp", {key: None})
        assert line.startswith(f"Pulumi.gcp.yaml: {key} {problem}: set it in {variable} or with `pulumi config set ")


@pytest.mark.parametrize(("config", "used"), [("the file's", "the file's"), ("none", "the environment's")])
def test_the_apps_key_is_the_stack_files_else_the_environments_and_secret(
    monkeypatch: pytest.MonkeyPatch, config: str, used: str
) -> None:
    monkeypatch.setenv("MOMENTO_APP_API_KEY", "the environment's")
    parameter = deploy("aws", {"better-together:momentoApiKey": config}).one("ssm/parameter:Parameter")
    assert parameter.inputs["value"] == used
    assert "value" in parameter.secrets


def test_all_mistakes_are_reported_at_once() -> None:
    lines = errors("gcp", {"better-together:persistence": "x", "gcp:project": None, "momento:apiKey": None})
    assert sorted(line.split()[1] for line in lines) == [
        "better-together:persistence",
        "gcp:project",
        "momento:apiKey",
    ]


def test_the_stacks_name_must_fit_what_is_named_after_it() -> None:
    [line] = errors("gcp", stack="a-very-long-stack-name")
    assert line == (
        "the stack's name 'a-very-long-stack-name' makes 'better-together-a-very-long-stack-name': "
        "it takes 6 to 30 lowercase letters, digits and hyphens including the project's name, without google, and not "
        "beginning with aws, ssm, goog, xn--, sthree- or amzn-s3-demo-"
    )


@pytest.mark.parametrize("stack", ["google", "my-g00gle", "goog1e", "Aws", "a_b", "aws-"])
def test_a_stacks_name_that_no_bucket_may_have(stack: str) -> None:
    [line] = errors("gcp", stack=stack)
    assert line.startswith(f"the stack's name {stack!r} makes 'better-together-{stack}': it takes ")


@pytest.mark.parametrize("name", ["google", "googler", "aws-users", "ssm-users", "xn--users", "sthree-users", "goog-a"])
def test_a_project_renamed_to_what_no_bucket_or_parameter_may_have(name: str) -> None:
    assert not re.fullmatch(NAME, name)


@pytest.mark.parametrize("endpoint", ["cell-1.prod.a.momentohq.com", "http://127.0.0.1:8080", "localhost"])
def test_endpoints_that_the_app_understands(endpoint: str) -> None:
    function = deploy("aws", {"momento:endpoint": endpoint}).inputs("lambda/function:Function")
    assert function["environment"]["variables"]["MOMENTO_ENDPOINT"] == endpoint


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-5", "mx-central-1"])
def test_regions_of_aws(region: str) -> None:
    assert deploy("aws", {"aws:region": region}).outputs["region"] == region


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_regions_of_other_partitions(region: str) -> None:
    assert errors("aws", {"aws:region": region}) == [
        f"Pulumi.aws.yaml: aws:region is {region!r}: it takes {AWS_REGIONS}"
    ]


@pytest.mark.parametrize("region", ["northamerica-northeast2", "me-central1"])
def test_regions_of_google_cloud(region: str) -> None:
    assert deploy("gcp", {"gcp:region": region}).outputs["region"] == region


def test_the_project_describes_every_key_with_its_type(root: Path) -> None:
    project = yaml.safe_load((root / "Pulumi.yaml").read_text())
    source = (root / "stacks" / "config_keys.py").read_text()
    read = set(re.findall(r'read\.(?:text|choice|flag|integer|secret)\(\s*"(\w+)"', source))
    assert set(project["config"]) == read
    assert all(key["type"] and key["description"] for key in project["config"].values())
    [plugin] = project["plugins"]["providers"]
    assert (root / plugin["path"] / f"pulumi-resource-{plugin['name']}").stat().st_mode & 0o111


@pytest.mark.parametrize("stack", ["aws", "gcp", "aws-prod", "gcp-prod"])
def test_every_stack_file_is_a_valid_configuration(stack: str) -> None:
    assert deploy(stack, stack=stack).outputs["cloud"] == stack.partition("-")[0]


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_production_runs_what_is_promoted(stack: str) -> None:
    assert plain_config(stack)[f"{PROJECT}:artifact"] == "promoted"


@pytest.mark.parametrize("stack", ["aws", "gcp", "aws-prod", "gcp-prod"])
def test_the_stack_files_hold_no_secret_in_plain_text(stack: str) -> None:
    assert not plain_config(stack).keys() & KEYS
    assert plain_config(stack)[f"{PROJECT}:cloud"] == stack.partition("-")[0]
