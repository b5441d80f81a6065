"""Each workflow's steps do on the laptop's clouds what they are for."""

import json
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.cli.tools import pulumi
from ops.stack import Stack
from tests.e2e.conftest import copy_with_artifact
from tests.e2e.expressions import Value
from tests.e2e.laptop import ROOT, Laptop, aws, versions
from tests.e2e.test_operations import delete_cache
from tests.e2e.test_promoted import BOB, PASSED, brought
from tests.e2e.workflows import Runner, StepFailed, load, steps

ELSEWHERE = {"make lint", "make test", "make lint test"}
"""These run for every submission, and would run this test again."""


@pytest.fixture
def checkout(tmp_path: Path, clouds: Laptop) -> Path:
    """A checkout that finds the shared clouds."""
    checkout = tmp_path / "checkout"
    copy_with_artifact(checkout)
    (checkout / ".local").symlink_to(clouds.home)
    return checkout


def runner(checkout: Path, **contexts: Value) -> Runner:
    """`contexts` have __ for a dot."""
    path = f"{checkout.parent}/bin:{Path(pulumi().command).parent}:/usr/bin:/bin"
    names = {name.replace("__", "."): value for name, value in contexts.items()}
    return Runner(checkout, checkout.parent / "artifacts", names, {"PATH": path})


def test_a_step_is_one_target_or_an_action_of_a_known_commit() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name, workflow in load().items():
        for job in workflow["jobs"].values():
            for step in steps(job):
                if "uses" in step:
                    assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), (name, step)
                else:
                    command, *words = shlex.split(step["run"])
                    made = [word for word in words if "=" not in word]
                    assert command == "make", (name, step)
                    assert "$" not in step["run"], f"{name}: make expands its arguments: put it into env"
                    assert targets.issuperset(made), (name, step)


def test_jobs_with_a_cloud_run_one_at_a_time_for_each_stack() -> None:
    for name, workflow in load().items():
        for title, job in workflow["jobs"].items():
            if "environment" in job:
                group = (job.get("concurrency") or workflow["concurrency"])["group"]
                cancels = (job.get("concurrency") or workflow["concurrency"])["cancel-in-progress"]
                assert re.match(r"(stack|plan|watch|reap)-\$\{\{", group), (name, title)
                assert cancels is False, (name, title)
                assert job["permissions"] == {"contents": "read", "id-token": "write"}, (name, title)


def test_nothing_of_a_pull_request_has_a_secret_or_writes() -> None:
    workflow = load()["pull-request"]
    assert workflow["permissions"] == {"contents": "read"}
    text = (ROOT / ".github/workflows/pull-request.yml").read_text()
    assert "secrets." not in text
    assert "vars." not in text
    assert not any("permissions" in job or "environment" in job for job in workflow["jobs"].values())


@pytest.mark.parametrize("stack", ["aws", pytest.param("gcp", marks=pytest.mark.prove)])
def test_main_deploys_what_it_has_built(checkout: Path, clouds: Laptop, stack: str) -> None:
    main = load()["main"]
    machine = runner(checkout, matrix__stack=stack, needs__test__result="success")
    machine.run(main, "build")
    assert {path.name for path in (checkout / "build" / "dist").iterdir()} == {"app.zip", "app.tar.gz", "sbom.cdx.json"}
    file = checkout / f"Pulumi.{stack}.yaml"
    file.write_text(f"{file.read_text()}  better-together:logRetentionDays: 14\n")
    machine.run(main, "deploy")
    days = {"aws": '"retentionInDays": 14', "gcp": '"retentionDays": 14'}[stack]
    assert days in _state(clouds, stack)
    clouds.must("up", stack)


@pytest.mark.prove
def test_main_deploys_nothing_but_what_was_attested(checkout: Path, clouds: Laptop) -> None:
    main, before = load()["main"], clouds.outputs()
    machine = runner(checkout, matrix__stack="aws", needs__test__result="success")
    machine.run(main, "build")
    other = machine.contexts["needs.build.outputs.digest"] = f"sha256:{'0' * 64}"
    with pytest.raises(StepFailed, match=f"aws: the plan is of {before['aws']['artifactDigest']}, not of {other}"):
        machine.run(main, "deploy")
    assert clouds.outputs() == before


@pytest.mark.prove
@pytest.mark.parametrize("stack", ["aws", "gcp"])
def test_watch(checkout: Path, clouds: Laptop, stack: str) -> None:
    """An overdue rollout is rolled back, and a stack that has expired is gone. A job that fails does the rest."""
    watch, before, expired = load()["watch"], clouds.outputs(), f"{stack}-pr-7"
    machine = runner(checkout, matrix__stack=stack, matrix__cloud=stack)
    try:
        superfluous = _published(clouds) if stack == "aws" else None
        overdue = {"cacheTtlSeconds": "60", "rollout": "10", "rolloutBy": BOB, "rolloutUntil": PASSED}
        clouds.must("apply", stack, "--settings", json.dumps(overdue))
        assert clouds.outputs()[stack]["percent"] == 10
        delete_cache(clouds, f"better-together-{stack}")
        with pytest.raises(StepFailed, match=r"^make drift\n(.*\n)*momento:index:Cache users: in the stack, gone"):
            machine.run(watch, "stack")
        outputs = clouds.outputs()[stack]
        assert (outputs["revision"], outputs["percent"]) == (before[stack]["stableRevision"], 100)
        assert superfluous not in versions(clouds)

        clouds.must("apply", expired, "--settings", json.dumps({"expires": PASSED}))
        assert clouds.outputs().keys() == {*before, expired}
        machine.run(watch, "reap")
        assert clouds.outputs().keys() == before.keys()
    finally:
        clouds.must("up", stack, "--refresh")


def _published(clouds: Laptop) -> str:
    """A version of stack aws's function that nothing leads to."""
    name = "better-together-aws"
    with aws(clouds, "lambda") as functions:
        functions.update_function_configuration(FunctionName=name, MemorySize=512)
        return functions.publish_version(FunctionName=name)["Version"]


def test_release(checkout: Path) -> None:
    gh = checkout.parent / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text('#!/bin/sh\necho "$@" > gh-arguments\n')
    gh.chmod(0o755)
    runner(checkout, github__ref_name="v1.0.0", github__token="secret").run(load()["release"], "release")
    assert (checkout / "gh-arguments").read_text() == (
        "release create v1.0.0 build/dist/app.tar.gz build/dist/app.zip build/dist/sbom.cdx.json "
        "--verify-tag --generate-notes\n"
    )


@pytest.mark.prove
@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_promote(checkout: Path, clouds: Laptop, second_checkout: Path, cloud: str) -> None:
    """The first promotion, which has no plan, and then one with the configuration of the commit. Meanwhile the
    development stack has got another artifact.
    """
    production = checkout / f"Pulumi.{cloud}-prod.yaml"
    text = re.sub(r"environment: production", "environment: development", production.read_text())
    text = re.sub(r".*(domain|domainZone|auth): .*\n", "", text)
    production.write_text(f"{text}  better-together:rolloutStepSeconds: 1\n  better-together:rolloutMinRequests: 20\n")
    digest = clouds.outputs()[cloud]["artifactDigest"]
    promote = load()["promote"]
    given: dict[str, Value] = {"inputs__cloud": cloud, "inputs__artifact": digest}
    try:
        merged, _ = brought(second_checkout, cloud)
        clouds.must("apply", cloud, "--settings", json.dumps({"artifact": merged}), checkout=second_checkout)
        first = runner(checkout, **given, inputs__first=True)
        assert [first.run(promote, job) for job in ("plan", "promote")] == ["skipped", "success"]
        assert clouds.outputs()[f"{cloud}-prod"]["stableDigest"] == digest
        with pytest.raises(StepFailed, match=f"stack {cloud}-prod of .* runs {digest}, so this is not its first"):
            first.run(promote, "promote")

        never = f"sha256:{'0' * 64}"
        planned: dict[str, Value] = {"needs__plan__result": "success", "needs__plan__outputs__digest": ""}
        refused = runner(checkout, inputs__cloud=cloud, inputs__artifact=never, inputs__first=False, **planned)
        for job in ("plan", "promote"):
            with pytest.raises(StepFailed, match=rf"^make promote DRY=1\n(.*\n)*{never} is not among the completed"):
                refused.run(promote, job)
            refused.contexts["needs.plan.result"] = "success"

        production.write_text(production.read_text().replace("logRetentionDays: 90", "logRetentionDays: 60"))
        second = runner(checkout, **given, inputs__first=False)
        assert [second.run(promote, job) for job in ("plan", "promote")] == ["success", "success"]
        assert {"aws": '"retentionInDays": 60', "gcp": '"retentionDays": 60'}[cloud] in _state(clouds, f"{cloud}-prod")
    finally:
        clouds.must("up", cloud)
        clouds.must("destroy", f"{cloud}-prod", checkout=checkout)


@pytest.fixture
def github() -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    """A GitHub with one open pull request of a fork, which keeps its comments: its URL, and what it was asked."""
    asked: list[tuple[str, str, Any]] = []
    comments: list[dict[str, Any]] = [
        {"id": 1, "body": "<!-- plans of better-together -->\nforged", "user": {"type": "User"}, "html_url": "u1"}
    ]

    class GitHub(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body: dict[str, Any] = json.loads(self.rfile.read(length)) if length else {}
            asked.append((self.command, self.path, body))
            content: Any = comments
            if "/pulls?" in self.path:
                content = [{"number": 7, "head": {"sha": "new"}}]
            elif self.command == "POST":
                content = {"id": 2, "user": {"type": "Bot"}, "html_url": "u2", **body}
                comments.append(content)
            elif self.command == "PATCH":
                content = comments[1] = comments[1] | body
            answer = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), GitHub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.prove
def test_a_pull_request_gets_one_comment_of_what_it_changes(
    checkout: Path, github: tuple[str, list[tuple[str, str, Any]]]
) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=checkout, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Base")
    file = checkout / "Pulumi.aws.yaml"
    file.write_text(f"{file.read_text()}  better-together:logRetentionDays: 7\n")
    git("commit", "--quiet", "--all", "--message", "Keep logs for a week")

    machine = runner(checkout)
    preview = load()["pull-request"]
    preview["jobs"]["preview"]["steps"][1]["run"] = 'make preview-since BASE=HEAD^1 STACK="aws"'
    machine.run(preview, "preview")

    url, asked = github
    about = {"GITHUB_API_URL": url, "GITHUB_REPOSITORY": "acme/better-together"}
    event = "github.event.workflow_run"
    names = {f"{event}.head_repository.owner.login": "ada", f"{event}.head_branch": "logs", "github.token": "secret"}
    names |= {f"{event}.id": "1", f"{event}.event": "pull_request"}

    def comment(commit: str, conclusion: str = "success") -> list[str]:
        """Returns all comments so far."""
        contexts: dict[str, Value] = {**names, f"{event}.head_sha": commit, f"{event}.conclusion": conclusion}
        Runner(checkout, machine.store, contexts, {**machine.environment, **about}).run(load()["comment"], "comment")
        return [body["body"] for method, _, body in asked if method in ("POST", "PATCH")]

    for commit, comments in (("new", 1), ("new", 2), ("old", 2)):
        written = comment(commit)
        assert len(written) == comments
        assert "`~ retentionInDays: 7`" in written[-1]
        assert "of commit `new`" in written[-1]
    for left in (machine.store, checkout / "build" / "untrusted"):  # as if the preview of a newer commit had failed
        shutil.rmtree(left)
    assert "There is no plan of commit `new`" in comment("new", "failure")[-1]
    assert [method for method, _, _ in asked if method != "GET"] == ["POST", "PATCH", "PATCH"]


def _state(clouds: Laptop, stack: str) -> str:
    return json.dumps(Stack.to_plan(stack, clouds.home).state())
