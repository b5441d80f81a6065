"""`ops create` makes stacks with a time to live, with the real engine and a backend in a folder."""

import os
import re
import resource
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from ops.stack import STACK_NOT_FOUND
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


def test_a_full_disk_leaves_the_file_as_it_was(backend: Backend) -> None:
    """The limit stands in for it: a write past it fails likewise."""
    backend = with_pulumi(backend, "echo '{}'")
    path = backend.checkout / "Pulumi.aws-ann.yaml"
    path.write_text(f"config: {{{EXPIRES}: '2026-11-29T16:00:00Z'}}\nencryptionsalt: v1:abc\n")
    before = path.read_text()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))
    try:
        code, result, _ = backend.ops("create", "aws-ann")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert (code, result) == (2, {"error": "Pulumi.aws-ann.yaml cannot be written: File too large"})
    assert path.read_text() == before


def test_an_interrupt_leaves_no_file_without_its_secrets(backend: Backend) -> None:
    no_such_stack = f"exit {STACK_NOT_FOUND}"
    backend = with_pulumi(backend, f"[ $2 = init ] || {no_such_stack}; kill -INT $PPID; exec sleep 60")
    code, result, _ = backend.ops("create", "aws-ann")
    assert (code, result) == (130, {"error": "interrupted"})
    assert not (backend.checkout / "Pulumi.aws-ann.yaml").exists()


def with_pulumi(backend: Backend, script: str) -> Backend:
    """The backend with another `pulumi` than the engine's on PATH."""
    program = backend.folder / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return replace(backend, variables={"PATH": f"{program.parent}:{os.environ['PATH']}"})
