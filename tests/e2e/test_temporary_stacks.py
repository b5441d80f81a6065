"""Stacks without a file, for a pull request or a developer, from `make up` to `make reap`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.laptop import ROOT, Laptop

STACK = "aws-pr-123"


@pytest.fixture(scope="module")
def pull_request(clouds: Laptop) -> Iterator[Laptop]:
    clouds.must("up", STACK, "--hours", "2")
    yield clouds
    if STACK in clouds.outputs():
        clouds.must("destroy", STACK)


def ops(clouds: Laptop, command: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    words = [sys.executable, "-m", "ops", command, "--json", "--home", str(clouds.home), *arguments]
    result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode, json.loads(result.stdout)


def test_it_is_a_stack_like_any_other(pull_request: Laptop) -> None:
    outputs = pull_request.outputs()[STACK]
    assert outputs["service"] == f"better-together-{STACK}"
    assert 1.8 < (datetime.fromisoformat(outputs["expires"]) - datetime.now(UTC)) / timedelta(hours=1) <= 2
    assert pull_request.must("drift", STACK) == f"stack {STACK} has not drifted\n"
    code, result = ops(pull_request, "check", "--stack", STACK)
    assert code == 0, result
    assert ops(pull_request, "status", STACK)[1]["stacks"][0]["state"] == "complete"
    assert ops(pull_request, "promote", "aws", STACK)[1]["outcome"] == "unchanged"
    assert pull_request.outputs()[STACK]["expires"] == outputs["expires"]
    left = f"nothing to do: `make up STACK={STACK}` heals a stack on the local clouds by itself"
    assert ops(pull_request, "recover", STACK) == (0, {"next": left})


def test_it_is_reaped_when_its_time_is_over_and_no_other_is(pull_request: Laptop) -> None:
    reaped = {one["stack"]: one["outcome"] for one in ops(pull_request, "reap")[1]["stacks"]}
    assert reaped == {"aws": "kept", STACK: "kept", "gcp": "kept"}
    pull_request.must("apply", STACK, "--settings", json.dumps({"expires": "2026-01-01T00:00:00Z"}))
    code, result = ops(pull_request, "reap")
    assert code == 0
    assert {one["stack"]: one["outcome"] for one in result["stacks"]} == reaped | {STACK: "destroyed"}
    assert pull_request.outputs().keys() == {"aws", "gcp"}


@pytest.mark.prove
def test_a_name_without_a_cloud_is_a_stack_on_each(laptop: Laptop) -> None:
    preview = laptop.must("preview", "pr-9")
    assert "Previewing update (aws-pr-9)" in preview
    assert "Previewing update (gcp-pr-9)" in preview
