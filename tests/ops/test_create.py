"""`ops create` makes stacks with a time to live, with the real engine and a backend in a folder."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from tests.ops.backend import Backend

EXPIRES = "better-together:expires"


def file(backend: Backend, stack: str) -> dict[str, Any]:
    return yaml.safe_load((backend.checkout / f"Pulumi.{stack}.yaml").read_text())


def hours_left(time: str) -> float:
    return (datetime.fromisoformat(time) - datetime.now(UTC)) / timedelta(hours=1)


def test_a_pull_request_gets_a_stack_on_each_cloud_and_more_time_later(backend: Backend) -> None:
    code, result, err = backend.ops("create", "pr-12", "--hours", "5")
    assert (code, backend.stacks()) == (0, ["aws-pr-12", "gcp-pr-12"])
    assert re.findall("pulumi up --policy-pack policy -s [-a-z0-9]+", err)
    for made, cloud in zip(result["stacks"], ("aws", "gcp"), strict=True):
        config = file(backend, made["stack"])["config"]
        assert made == {"stack": f"{cloud}-pr-12", "expires": config.pop(EXPIRES), "file": f"Pulumi.{cloud}-pr-12.yaml"}
        template = file(backend, cloud)["config"]
        assert config == {key: str(value).lower() for key, value in template.items()}, "the engine writes strings"
        assert 4.9 < hours_left(made["expires"]) <= 5

    (backend.checkout / "Pulumi.gcp-pr-12.yaml").unlink()  # as in a fresh checkout
    again = backend.ops("create", "pr-12", "--hours", "8")[1]["stacks"]
    assert [hours_left(file(backend, one["stack"])["config"][EXPIRES]) > 7.9 for one in again] == [True, True]
    assert backend.stacks() == ["aws-pr-12", "gcp-pr-12"]


def test_the_template_s_secrets_are_encrypted_anew_and_the_selected_stack_stays_so(backend: Backend) -> None:
    backend.pulumi("stack", "init", "aws", "--no-select")
    backend.pulumi("stack", "init", "aws-bob")
    backend.pulumi("config", "set", "-s", "aws", "--secret", "momento:apiKey", "hunter2")
    backend.pulumi("config", "set", "-s", "aws", "domain", "users.example.com")
    assert backend.ops("create", "aws-ann")[0] == 0
    theirs, ours = file(backend, "aws"), file(backend, "aws-ann")
    assert ours["encryptionsalt"] != theirs["encryptionsalt"]
    assert backend.pulumi("config", "get", "-s", "aws-ann", "momento:apiKey") == "hunter2\n"
    assert "better-together:domain" not in ours["config"]
    assert backend.pulumi("stack", "--show-name") == "aws-bob\n"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("prod", "Pulumi.aws-prod.yaml has no better-together:expires, so the stack is permanent: take another name"),
        ("aws-prd", "there is no stack 'aws-prd': did you mean aws-prod?"),
    ],
)
def test_a_permanent_stack_gets_no_time_to_live(backend: Backend, name: str, why: str) -> None:
    before = file(backend, "aws-prod")
    assert backend.ops("create", name)[:2] == (2, {"error": why})
    assert (backend.stacks(), file(backend, "aws-prod")) == ([], before)


def test_what_the_backend_refuses_leaves_no_file(backend: Backend) -> None:
    code, result, _ = backend.ops("create", "aws-ann", "--hours", "soon")
    assert (code, result) == (2, {"error": "HOURS is 'soon': it takes 1 to 9999"})
    path = backend.checkout / "Pulumi.aws.yaml"
    path.write_text(path.read_text() + "secretsprovider: nokms://key\n")
    code, result, _ = backend.ops("create", "aws-ann")
    assert code == 2
    assert "nokms" in result["error"]
    assert not (backend.checkout / "Pulumi.aws-ann.yaml").exists()
