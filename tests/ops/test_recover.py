"""`ops recover` after an update was killed, with the real engine and a backend in a folder."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.cli.state import create
from local.cli.tools import pulumi
from ops.recover import IDS
from pulumi_momento import Cache
from tests.engine import deployment, outputs, root
from tests.momento.conftest import Momento, running
from tests.ops.backend import Backend
from tests.ops.conftest import ROOT
from tests.processes import command_line

SNAPSHOTS = ROOT / "tests" / "stacks" / "snapshots"
PROJECT = "better-together"
NEXT = "left to do: `pulumi up --policy-pack policy -s aws`"


@contextmanager
def updating(backend: Backend) -> Generator[psutil.Process]:
    """The engine of an update of stack aws, which has the stack's lock and waits."""
    command = [sys.executable, "-m", "tests.ops.held_update", str(backend.folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        children = psutil.Process(process.pid).children(recursive=True)
        [engine] = [child for child in children if re.match(r"\S*pulumi .*\bup\b", command_line(child))]
        yield engine
        process.stdin.close()


def lock(backend: Backend, **holder: Any) -> Path:
    folder = backend.state / ".pulumi" / "locks" / "organization" / "better-together" / "aws"
    folder.mkdir(parents=True, exist_ok=True)
    (path := folder / "one.json").write_text(json.dumps({"username": "ann", "pid": 7} | holder))
    return path


def test_the_lock_of_a_killed_update_is_removed_and_that_of_a_live_one_is_not(backend: Backend) -> None:
    backend.new_stack("aws", lambda: None)
    with updating(backend) as engine:
        code, result, _ = backend.ops("recover", "aws")
        holder = rf"\S+@{re.escape(socket.gethostname())}, process {engine.pid}, since 20\S+"
        assert code == 2
        assert re.match(f"stack aws is locked by {holder}, which may be at work: ", result["error"])
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    code, result, said = backend.ops("recover", "aws")
    assert (code, result["next"], result["settled"]) == (0, NEXT, [])
    assert [f"process {engine.pid}, since" in holder for holder in result["unlocked"]] == [True]
    assert f"removed the lock of {result['unlocked'][0]}" in said
    assert backend.ops("recover", "aws")[1]["unlocked"] == []


@pytest.mark.parametrize(
    ("since", "options", "removed"),
    [
        ("2026-11-01T00:00:00Z", [], True),
        ("2126-11-01T00:00:00Z", [], False),
        ("2126-11-01T00:00:00Z", ["--force"], True),
    ],
)
def test_a_lock_of_another_computer(backend: Backend, since: str, options: list[str], removed: bool) -> None:
    backend.new_stack("aws", lambda: None)
    path = lock(backend, hostname="elsewhere", timestamp=since)
    code, result, _ = backend.ops("recover", *options, "aws")
    assert path.exists() != removed
    if removed:
        assert (code, result["unlocked"]) == (0, [f"ann@elsewhere, process 7, since {since}"])
    else:
        assert code == 2
        assert result["error"].startswith(
            f"stack aws is locked by ann@elsewhere, process 7, since {since}, which may be"
        )


def test_what_was_being_created_is_found_by_its_name(backend: Backend, momento: Momento) -> None:
    """Of two caches that were being created one is there; of a third resource nobody knows the id."""
    backend.new_stack("aws", lambda: Cache("users", name="users") and None, momento).up()
    state = deployment(backend.state)
    cache = state["resources"][-1]

    def pending(name: str, kind: str = "momento:index:Cache") -> dict[str, Any]:
        unknown = {key: value for key, value in cache.items() if key not in ("id", "outputs")}
        urn = cache["urn"].replace("momento:index:Cache::users", f"{kind}::{name}")
        return {"type": "creating", "resource": unknown | {"urn": urn, "type": kind, "inputs": {"name": name}}}

    bucket = pending("source", "aws:s3/bucket:Bucket")
    state["pending_operations"] = [pending("made"), pending("missed"), bucket]
    create(backend.state, PROJECT, "aws", state)
    momento.create("made")

    code, result, _ = backend.ops("recover", "aws")
    assert code == 0
    assert result["settled"] == ["momento:index:Cache made", "momento:index:Cache missed"]
    assert result["unknown"] == ["aws:s3/bucket:Bucket source"]
    assert result["next"].startswith(
        "left to do: look in the cloud for aws:s3/bucket:Bucket source, which the stack does"
    )
    after = deployment(backend.state)
    assert [one["id"] for one in after["resources"] if one["type"] == "momento:index:Cache"] == ["users", "made"]
    assert "pending_operations" not in after
    assert momento.key not in json.dumps(after)


def test_an_update_that_ends_meanwhile_loses_nothing(backend: Backend) -> None:
    """It holds the lock when recover reads the state first, and has ended before recover goes on."""
    backend.new_stack("aws", lambda: None).up()
    state = deployment(backend.state)
    stack, kind = root(state), "aws:s3/bucket:Bucket"
    bucket = stack | {"type": kind, "custom": True, "urn": stack["urn"].replace("pulumi:pulumi:Stack", kind)}
    create(backend.state, PROJECT, "aws", state | {"pending_operations": [{"type": "creating", "resource": bucket}]})
    once, has_read, go_on = (backend.folder / name for name in ("once", "has-read", "go-on"))
    os.mkfifo(has_read)
    os.mkfifo(go_on)
    reads, goes = (os.open(fifo, os.O_RDWR) for fifo in (has_read, go_on))
    (shim := backend.folder / "bin" / "pulumi").parent.mkdir()
    shim.write_text(
        f"""#!/bin/sh
{pulumi().command} "$@" || exit
[ "$2" != export ] || [ -e {once} ] || {{ touch {once}; echo > {has_read}; read line < {go_on}; }}
"""
    )
    shim.chmod(0o755)
    with updating(backend):
        process = replace(backend, variables={"PATH": f"{shim.parent}:{os.environ['PATH']}"}).start("recover", "aws")
        assert select.select([reads], [], [], 300)[0], "it has not read the state"
    os.write(goes, b"\n")
    assert "left to do: look in the cloud for aws:s3/bucket:Bucket" in process.communicate()[0]
    after = deployment(backend.state)
    assert outputs(backend.state) == {"ended": True}
    assert "pending_operations" not in after
    os.close(reads)
    os.close(goes)


def test_a_provider_that_fails_is_one_line(backend: Backend) -> None:
    with running("local.cloud.momento") as momento:
        backend.new_stack("aws", lambda: Cache("users", name="users") and None, momento).up()
    state = deployment(backend.state)
    state["pending_operations"] = [{"type": "deleting", "resource": state["resources"][-1]}]
    create(backend.state, PROJECT, "aws", state)
    code, result, _ = backend.ops("recover", "aws")
    assert code == 1
    assert "Momento" in result["error"]


def test_a_stack_that_is_not_there(backend: Backend) -> None:
    assert backend.ops("recover", "aws-ann")[:2] == (2, {"error": "pulumi says: no stack named 'aws-ann' found"})


def test_the_ids_are_of_types_and_properties_that_the_stacks_have() -> None:
    inputs = {
        resource.rpartition("::")[0]: properties
        for cloud in ("aws", "gcp")
        for resource, properties in json.loads((SNAPSHOTS / f"{cloud}.json").read_text()).items()
    }
    for kind, id in IDS.items():
        assert id.format(**inputs[kind])
