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
from rehearsal.builds import copy_checkout
from tests.e2e.laptop import ROOT, Laptop
from tests.e2e.workflows import Runner, load, steps

ELSEWHERE = {"make lint", "make test", "make lint test"}
"""These run for every submission, and would run this test again."""


@pytest.fixture
def checkout(tmp_path: Path, clouds: Laptop) -> Path:
    """A checkout that finds the shared clouds."""
    checkout = tmp_path / "checkout"
    copy_checkout(checkout, ".venv", "build", "app/.venv", "policy/.venv", "pulumi_momento/.venv")
    (checkout / ".local").symlink_to(clouds.home)
    return checkout


def runner(checkout: Path, **contexts: str) -> Runner:
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
    machine = runner(checkout, matrix__stack=stack)
    machine.run(main, "build")
    assert {path.name for path in (checkout / "build" / "dist").iterdir()} == {"app.zip", "app.tar.gz", "sbom.cdx.json"}
    file = checkout / f"Pulumi.{stack}.yaml"
    file.write_text(f"{file.read_text()}  better-together:logRetentionDays: 14\n")
    machine.run(main, "deploy")
    days = {"aws": '"retentionInDays": 14', "gcp": '"retentionDays": 14'}[stack]
    assert days in _state(clouds, stack)
    clouds.must("up", stack)


@pytest.mark.prove
@pytest.mark.parametrize("stack", ["aws", "gcp"])
def test_watch(checkout: Path, stack: str) -> None:
    watch = load()["watch"]
    machine = runner(checkout, matrix__stack=stack, matrix__cloud=stack)
    machine.run(watch, "stack")
    machine.run(watch, "reap")


def test_release(checkout: Path) -> None:
    gh = checkout.parent / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text('#!/bin/sh\necho "$@" > gh-arguments\n')
    gh.chmod(0o755)
    runner(checkout, github__ref_name="v1.0.0").run(load()["release"], "release")
    assert (checkout / "gh-arguments").read_text() == (
        "release create v1.0.0 build/dist/app.tar.gz build/dist/app.zip build/dist/sbom.cdx.json "
        "--verify-tag --generate-notes\n"
    )


@pytest.mark.prove
@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_promote(checkout: Path, clouds: Laptop, cloud: str) -> None:
    """The first promotion, which has no plan, and then one with the configuration of the commit."""
    production = checkout / f"Pulumi.{cloud}-prod.yaml"
    text = re.sub(r"environment: production", "environment: development", production.read_text())
    text = re.sub(r".*(domain|domainZone|auth): .*\n", "", text)
    production.write_text(f"{text}  better-together:rolloutStepSeconds: 1\n  better-together:rolloutMinRequests: 20\n")
    digest = clouds.outputs()[cloud]["artifactDigest"]
    promote = load()["promote"]
    given = {"inputs__cloud": cloud, "inputs__artifact": digest}
    try:
        first = runner(checkout, **given)
        shell = [step for step in steps(promote["jobs"]["promote"]) if "if" not in step]
        first.run({**promote, "jobs": {"promote": promote["jobs"]["promote"] | {"steps": shell}}}, "promote")
        assert clouds.outputs()[f"{cloud}-prod"]["stableDigest"] == digest
        production.write_text(production.read_text().replace("logRetentionDays: 90", "logRetentionDays: 60"))
        planned = runner(checkout, **given).run(promote, "plan")
        runner(checkout, **given, needs__plan__outputs__digest=planned["plan.digest"]).run(promote, "promote")
        assert {"aws": '"retentionInDays": 60', "gcp": '"retentionDays": 60'}[cloud] in _state(clouds, f"{cloud}-prod")
    finally:
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
    for commit, comments in (("new", 1), ("new", 2), ("old", 2)):
        contexts = names | {f"{event}.head_sha": commit}
        Runner(checkout, machine.store, contexts, {**machine.environment, **about}).run(load()["comment"], "comment")
        written = [body["body"] for method, _, body in asked if method in ("POST", "PATCH")]
        assert len(written) == comments
        assert "`~ retentionInDays: 7`" in written[-1]
        assert "of commit `new`" in written[-1]
    for left in (machine.store, checkout / "build" / "untrusted"):  # as if the preview of a newer commit had failed
        shutil.rmtree(left)
    contexts = names | {f"{event}.head_sha": "new"}
    Runner(checkout, machine.store, contexts, {**machine.environment, **about}).run(load()["comment"], "comment")
    assert [method for method, _, _ in asked if method != "GET"] == ["POST", "PATCH", "PATCH"]
    assert "There is no plan of commit `new`" in asked[-1][2]["body"]


def _state(clouds: Laptop, stack: str) -> str:
    return json.dumps(Stack.to_plan(stack, clouds.home).state())
