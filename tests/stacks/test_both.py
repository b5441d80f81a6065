"""Properties that both stacks share."""

import gc
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.settings import AuthSettings, CacheSettings, Settings, thread_count
from local.providers import sdk
from stacks.artifact import Artifact
from tests.stacks.deployment import KEYS, Deployment, deploy

OUTPUTS = [
    *("account", "artifactDigest", "bucket", "cache", "cloud", "deployment", "expires", "percent", "persistence"),
    *(
        "region",
        "releases",
        "revision",
        "rolloutBy",
        "rolloutPlan",
        "rolloutUntil",
        "service",
        "stableDigest",
        "stableRevision",
    ),
    *("store", "url"),
]


class Reading(Mapping[str, str]):
    """An environment that records which variables are read."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


def environment(stack: Deployment) -> dict[str, str]:
    """The app's variables as the runtime sets them, with a reference in place of a secret's value."""
    if stack.outputs["cloud"] == "aws":
        given_by_lambda = {"AWS_REGION": stack.outputs["region"]}
        return given_by_lambda | stack.inputs("lambda/function:Function")["environment"]["variables"]
    [container] = stack.inputs("cloudrunv2/service:Service")["template"]["containers"]
    return {env["name"]: env.get("value") or "a secret" for env in container["envs"]}


def test_the_outputs_have_the_same_names(either: Deployment, artifact: Artifact) -> None:
    assert sorted(either.outputs) == OUTPUTS
    assert {name for name, value in either.outputs.items() if not value} == {"expires", "rolloutBy", "rolloutUntil"}
    assert either.outputs["artifactDigest"] == artifact.digest


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_the_app_reads_all_of_its_environment_in_production(stack: str) -> None:
    environ = Reading(environment(deploy(stack, stack=stack)))
    assert Settings.from_environ(environ).auth
    thread_count(environ)
    assert set(environ.variables) - environ.read == set()


def test_the_app_understands_its_environment_and_reads_all_of_it(either: Deployment, artifact: Artifact) -> None:
    environ = Reading(environment(either))
    settings = Settings.from_environ(environ)
    if either.outputs["cloud"] == "gcp":
        assert thread_count(environ) == 8
    assert set(environ.variables) - environ.read == set()
    assert settings.persistence == either.outputs["persistence"]
    assert settings.artifact_digest == artifact.digest
    assert isinstance(settings.cache, CacheSettings)
    assert settings.cache.name == either.outputs["cache"]
    assert settings.cache.ttl_seconds == 300


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
@pytest.mark.parametrize("issuer", ["https://login.example.com/", "http://127.0.0.1:4711"])
def test_the_app_is_told_whose_tokens_count(cloud: str, issuer: str) -> None:
    config = {"better-together:auth": issuer, "better-together:authAudience": "users"}
    assert Settings.from_environ(environment(deploy(cloud, config))).auth == AuthSettings(issuer, "users")


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_app_is_told_whose_pages_may_call_it(cloud: str) -> None:
    origins = "https://www.example.com,http://localhost:3000"
    settings = Settings.from_environ(environment(deploy(cloud, {"better-together:corsOrigins": origins})))
    assert ",".join(settings.cors_origins) == origins


def test_without_an_issuer_there_is_no_auth(either: Deployment) -> None:
    assert Settings.from_environ(environment(either)).auth is None


def test_every_input_is_one_that_the_sdk_knows(either: Deployment) -> None:
    for resource in either.resources:
        if resource.type.startswith(("aws:", "gcp:")):
            assert list(sdk.faults(sdk.args_type(resource.type), resource.inputs)) == [], resource


@pytest.mark.parametrize("nested", [{"log_format": "Text"}, {"logFormat": "Text", "logGroups": "g"}])
def test_the_check_of_inputs_sees_nested_mistakes(aws: Deployment, nested: dict[str, str]) -> None:
    function = aws.one("lambda/function:Function")
    assert list(sdk.faults(sdk.args_type(function.type), function.inputs | {"loggingConfig": nested})) != []


def test_the_keys_are_secret_wherever_they_go(either: Deployment) -> None:
    for resource in either.resources:
        for name, value in resource.inputs.items():
            if any(key in str(value) for key in KEYS.values()):
                assert name in resource.secrets, resource
    assert not [value for value in either.outputs.values() if value in KEYS.values()]
    holders = {r.type for r in either.resources if r.secrets}
    assert holders <= {"aws:ssm/parameter:Parameter", "gcp:secretmanager/secretVersion:SecretVersion"}
    assert len(holders) == 1


def all_tags(stack: Deployment) -> list[dict[str, str] | None]:
    """The tags or labels of each resource that can have some; None if it has none."""
    names = {"aws": {"tags"}, "gcp": {"labels", "userLabels"}}
    return [
        resource.inputs.get(name)
        for resource in stack.resources
        if (wanted := names.get(resource.type.partition(":")[0]))
        for name in wanted & sdk.properties(sdk.args_type(resource.type)).keys()
    ]


def test_all_that_can_be_tagged_is(either: Deployment) -> None:
    tags = {"project": "better-together", "stack": either.outputs["cloud"], "environment": "development"}
    assert all(found == tags for found in all_tags(either))
    assert len(all_tags(either)) >= 6


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_time_to_live_is_a_tag_of_all_resources_and_an_output(cloud: str, request: pytest.FixtureRequest) -> None:
    """Google Cloud's labels: https://cloud.google.com/resource-manager/docs/labels-overview#requirements"""
    stack = deploy(cloud, {"better-together:expires": "2026-11-29T16:00:00Z"})
    assert stack.outputs["expires"] == "2026-11-29T16:00:00Z"
    permanent: Deployment = request.getfixturevalue(cloud)
    assert all_tags(stack) == [(tags or {}) | {"expires": "2026-11-29t16-00-00z"} for tags in all_tags(permanent)]
    if cloud == "gcp":
        service, before = (one.inputs("cloudrunv2/service:Service")["template"] for one in (stack, permanent))
        assert service["labels"] == before["labels"], "a time that moves is no new revision"


def test_all_resources_belong_to_the_component(either: Deployment) -> None:
    component = either.one(f"better-together:stacks:{either.outputs['cloud'].title()}Stack")
    children = [one for one in either.resources if one is not component]
    assert {child.parent.partition("$")[2] for child in children} == {f"{component.type}::{component.name}"}


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_two_stacks_fit_into_one_account(cloud: str, request: pytest.FixtureRequest) -> None:
    one, other = request.getfixturevalue(cloud), deploy(cloud, stack="staging")
    inside = {"RolePolicy", "Alias", "Stage", "BucketObject", "SecretIamMember"}  # of something that is not shared
    for kind in ("name", "accountId", "secretId", "dashboardName", "displayName"):
        names = [
            {r.inputs[kind] for r in stack.resources if kind in r.inputs and r.type.rpartition(":")[2] not in inside}
            for stack in (one, other)
        ]
        assert not names[0] & names[1]


@pytest.mark.parametrize("seconds", [10, 29])
def test_a_request_may_take_as_long_everywhere(seconds: int) -> None:
    aws, gcp = (deploy(cloud, {"better-together:timeoutSeconds": str(seconds)}) for cloud in ("aws", "gcp"))
    assert aws.inputs("lambda/function:Function")["timeout"] == seconds
    assert aws.inputs("Integration")["timeoutMilliseconds"] == seconds * 1000
    assert gcp.inputs("cloudrunv2/service:Service")["template"]["timeout"] == f"{seconds}s"


def test_gunicorn_has_a_thread_for_every_request_and_a_probe(gcp: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADS", environment(gcp)["THREADS"])
    spec = importlib.util.find_spec("app.gunicorn_config")
    assert spec
    assert spec.origin
    gunicorn = SimpleNamespace()
    exec(compile(Path(spec.origin).read_text(), spec.origin, "exec"), vars(gunicorn))
    gc.enable()
    template = gcp.inputs("cloudrunv2/service:Service")["template"]
    assert gunicorn.workers * gunicorn.threads == template["maxInstanceRequestConcurrency"] + 1


@pytest.mark.parametrize(("cloud", "unwanted"), [("aws", "pulumi_gcp"), ("gcp", "pulumi_aws")])
def test_only_the_chosen_cloud_is_imported(root: Path, cloud: str, unwanted: str) -> None:
    code = f"import stacks.{cloud}, stacks.config, sys; sys.exit({unwanted!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=root, env=os.environ, check=True)
