"""`ops reap` destroys what has expired and nothing else, with the real engine and a backend in a folder."""

import json
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto

from pulumi_momento import Cache
from tests.momento.conftest import Momento, running
from tests.ops.backend import Backend, Program

PAST, FUTURE = "2026-11-01T00:00:00Z", "2126-11-01T00:00:00Z"


class Tagged(pulumi.ComponentResource):
    """A resource with tags that needs no cloud."""

    def __init__(self, time: str, opts: pulumi.ResourceOptions | None = None) -> None:
        tags = {"expires": time.lower().replace(":", "-")}
        super().__init__("test:index:Tagged", f"tagged-{time[:4]}", {"tags": tags}, opts)


def expiring(time: str) -> Program:
    return lambda: pulumi.export("expires", time)


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    return {one["stack"]: one["outcome"] for one in result["stacks"]}


def reasons(result: dict[str, Any]) -> dict[str, str]:
    return {one["stack"]: one["reason"] for one in result["stacks"]}


def with_cache(backend: Backend, momento: Momento, name: str) -> None:
    def program() -> None:
        Cache("users", name=f"better-together-{name}")
        pulumi.export("expires", PAST)

    backend.new_stack(name, program, momento).up()


def test_an_expired_stack_is_destroyed_without_its_file_and_the_others_stay(backend: Backend, momento: Momento) -> None:
    def protected() -> None:
        Tagged(PAST, pulumi.ResourceOptions(protect=True))

    def cut_off() -> None:
        Tagged(PAST)
        Tagged(FUTURE)
        raise pulumi.RunError("cut off")

    with_cache(backend, momento, "aws-pr-1")
    code, result, _ = backend.ops("reap", "--dry-run")
    assert (code, outcomes(result), momento.caches()) == (0, {"aws-pr-1": "expired"}, ["better-together-aws-pr-1"])

    for name, program in {
        "aws-prod": protected,
        "aws": lambda: pulumi.export("expires", ""),
        "aws-pr-2": expiring(FUTURE),
    }.items():
        backend.new_stack(name, program).up()
    with pytest.raises(auto.errors.CommandError):
        backend.new_stack("aws-pr-3", cut_off).up()
    backend.new_stack("aws-pr-4", expiring(PAST))
    assert not list(backend.checkout.glob("Pulumi.aws-pr-*.yaml"))
    code, result, err = backend.ops("reap")
    assert momento.caches() == []
    assert reasons(result) == {
        "aws": "it has no time to live",
        "aws-pr-1": "its time was over",
        "aws-pr-2": f"it expires {FUTURE}",
        "aws-pr-3": f"it expires {FUTURE}",
        "aws-pr-4": "it is empty",
        "aws-prod": "it is protected",
    }
    assert code == 0
    assert outcomes(result) == dict.fromkeys(outcomes(result), "kept") | {"aws-pr-1": "destroyed"}
    assert backend.stacks() == ["aws", "aws-pr-2", "aws-pr-3", "aws-pr-4", "aws-prod"]
    assert not list(backend.checkout.glob("Pulumi.aws-pr-*.yaml"))
    assert momento.key not in err


def test_one_that_fails_does_not_keep_the_next_one(backend: Backend) -> None:
    with running("local.cloud.momento") as momento:
        with_cache(backend, momento, "aws-pr-1")
    backend.new_stack("aws-pr-2", expiring(PAST)).up()
    code, result, _ = backend.ops("reap")
    assert (code, outcomes(result)) == (1, {"aws-pr-1": "failed", "aws-pr-2": "destroyed"})
    assert "momento" in reasons(result)["aws-pr-1"].lower()
    assert backend.stacks() == ["aws-pr-1"]


def test_two_at_once_destroy_each_stack_once(backend: Backend) -> None:
    """The other one may find a stack after its resources are deleted and before it is removed."""
    for number in range(2):
        backend.new_stack(f"aws-pr-{number}", expiring(PAST)).up()
    both = [backend.start("reap", "--json") for _ in range(2)]
    results = [json.loads(process.communicate()[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0], results
    assert backend.stacks() == []
    for name in ("aws-pr-0", "aws-pr-1"):
        found = [(outcomes(result).get(name, "gone"), reasons(result).get(name)) for result in results]
        [first, other] = sorted(found, key=lambda one: one[0])
        assert first[0] == "destroyed"
        assert other[0] == "gone" or other == ("kept", "it is empty")


def test_an_update_that_sets_the_time_anew_wins(backend: Backend) -> None:
    """The stack is locked as by an update at work. When it ends, the stack's time is another one."""
    stack = backend.new_stack("aws-pr-1", expiring(PAST))
    stack.up()
    locks = backend.state / ".pulumi" / "locks" / "organization" / "better-together" / "aws-pr-1"
    locks.mkdir(parents=True, exist_ok=True)
    content = {"pid": 1, "username": "ann", "hostname": "another", "timestamp": "2026-11-26T16:00:00Z"}
    (locks / "update.json").write_text(json.dumps(content))
    reaping = backend.start("reap", "--json")
    assert reaping.stderr
    assert any("locked by 1 lock" in line for line in reaping.stderr)
    (locks / "update.json").unlink()
    stack.workspace.program = expiring(FUTURE)
    stack.up()
    out, _ = reaping.communicate()
    assert reasons(json.loads(out)) == {"aws-pr-1": f"it expires {FUTURE}"}
    assert reaping.returncode == 0
