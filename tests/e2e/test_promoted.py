"""An artifact that was brought into a checkout is rolled out step by step, and what is promoted stays as it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cli.home import ROOT
from stacks import archive_file, archive_reader, archives
from stacks.archives import Entry
from stacks.artifact import build
from tests.e2e.laptop import Laptop

LATER, PASSED = "2036-11-26T16:00:00Z", "2026-01-01T00:00:00Z"
ANN, BOB = "ann@host:1", "bob@host:2"


@pytest.fixture(params=["aws", "gcp"])
def stack(request: pytest.FixtureRequest, clouds: Laptop) -> Iterator[str]:
    """A stack of the shared clouds, which gets this checkout's app and configuration back."""
    yield request.param
    clouds.must("up", request.param)


def brought(checkout: Path, stack: str) -> tuple[str, Path]:
    """The digest and the archive of an app with one more file, where `make promote` puts it; nothing is built there.

    Each checkout gets another digest, since one that has run on the shared stacks needs no archive.
    """
    entries = archive_reader.read(build(ROOT).archive(stack).path)
    entries = sorted([*entries, Entry("app/promoted.txt", str(checkout).encode())], key=lambda entry: entry.path)
    digest = archives.digest(entries)
    path = checkout / "build" / "promoted" / digest.removeprefix("sha256:") / archive_file.NAMES[stack]
    path.parent.mkdir(parents=True)
    (archives.write_zip if stack == "aws" else archives.write_tar)(entries, path)
    return digest, path


def answering(url: str) -> set[str]:
    """The artifacts that answer 40 requests."""
    with httpx.Client(base_url=url, timeout=30) as client:
        return {client.get("/health/live").json()["artifact"] for _ in range(40)}


@pytest.mark.prove
def test_a_promotion_step_by_step(clouds: Laptop, second_checkout: Path, stack: str) -> None:
    def apply(**settings: str) -> Any:
        """The outputs, or why it was refused."""
        done = clouds.run("apply", stack, "--settings", json.dumps(settings), checkout=second_checkout)
        return clouds.outputs()[stack] if done.returncode == 0 else done.stderr

    builds = second_checkout / "build" / "artifacts"
    built = sorted(builds.rglob("*"))
    before = clouds.outputs()[stack]
    old, url = before["artifactDigest"], before["url"]
    new, archive = brought(second_checkout, stack)

    content = archive.read_bytes()
    archive.write_bytes(content[:-30])
    assert f"{archive} holds no artifact (" in apply(artifact=new, rollout="0")
    archive.write_bytes(content)

    first = apply(artifact=new, rollout="0", rolloutBy=ANN, rolloutUntil=LATER)
    assert (first["artifactDigest"], first["stableDigest"], first["percent"]) == (new, old, 0)
    assert (first["rolloutBy"], first["rolloutUntil"]) == (ANN, LATER)
    assert answering(url) == {old}
    if stack == "gcp":
        assert answering(first["canaryUrl"]) == {new}

    assert f"stack {stack} is being rolled out by {ANN}, until {LATER}: " in apply(artifact=new, rollout="50")
    taken = apply(artifact=new, rollout="50", rolloutBy=BOB, rolloutUntil=PASSED, rolloutAfter=ANN)
    assert taken == first | {"percent": 50, "rolloutBy": BOB, "rolloutUntil": PASSED}
    assert answering(url) == {old, new}  # all to the same once in 5 * 10^11 runs

    archive.unlink()
    assert apply(artifact="promoted") == taken
    stack_file = second_checkout / f"Pulumi.{stack}.yaml"
    stack_file.write_text(f"{stack_file.read_text()}  better-together:cacheTtlSeconds: 60\n")
    changed = apply(artifact="promoted")
    assert changed["revision"] not in (taken["revision"], taken["stableRevision"])
    assert {name for name in taken if changed[name] != taken[name]} >= {"deployment", "releases", "revision"}
    for name in ("artifactDigest", "stableDigest", "stableRevision", "percent", "rolloutBy", "rolloutUntil"):
        assert changed[name] == taken[name]

    back = apply(artifact=old)  # Bob is overdue
    assert (back["artifactDigest"], back["revision"], back["percent"]) == (old, before["revision"], 100)
    assert (back["rolloutBy"], back.get("canaryUrl")) == ("", None)
    assert answering(url) == {old}
    assert sorted(builds.rglob("*")) == built
