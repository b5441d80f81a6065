"""Runs `pulumi up` with a few keys for this run only, and makes and applies the engine's plans."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ops.stack import ROOT, Stack, UsageError, cli, one_line, project_key
from ops.terminal import say_aside
from ops.urn import resource

# What a backend in a bucket and Pulumi Cloud say of a stack that another update changes.
LOCKED = re.compile(r"currently locked by \d+ lock|\[409\] Conflict: Another update")
LOCKED_FOR = 600  # seconds; another `pulumi up` takes less
PAUSE = 10.0  # seconds
QUIET = ("--non-interactive", "--suppress-progress")
LOGGED = {"PULUMI_DEBUG_COMMANDS": "true"}  # enables --event-log
FACTS, STATE = "PLAN_FACTS_FILE", "PLAN_STATE"
"""What the program reads in stacks/sealed_plan.py."""


@dataclass(frozen=True)
class Plan:
    """What `pulumi up` would do. Secrets in it are encrypted."""

    steps: Mapping[str, Any]
    """The engine's plan: https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#DeploymentPlanV1"""
    state: str
    """The program's fingerprint of the state that the plan starts from."""
    artifact: str
    """The digest of the artifact that would run."""
    findings: Sequence[str]
    """The policy's warnings."""


class UpFailed(Exception):
    """The engine failed; the message is its reason, in one line, and `output` all that it said."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.output = output


def up(stack: Stack, settings: Mapping[str, str], plan: Plan | None = None) -> None:
    """Bring the stack to its file's configuration and `settings`, and print the engine's progress to stderr.

    With a plan, changes nothing if the program or the state differ from it. Waits while another `pulumi up` changes the
    stack. Raises UpFailed, UsageError without a `pulumi` or on a full disk, and KeyboardInterrupt once the engine has
    ended after an interrupt.
    """
    with temporary() as folder:
        variables: dict[str, str] = {}
        planned: list[str] = []
        if plan:
            file = folder / "plan.json"
            file.write_text(json.dumps(plan.steps))
            variables, planned = {STATE: plan.state}, ["--plan", str(file)]
        if stack.laptop:
            command = [*local(stack.laptop.home), "apply", stack.name, "--settings", json.dumps(settings)]
            return run([*command, *planned], **variables)
        config = folder / "stack.yaml"
        config.write_text(_configured(stack, settings))
        # Without the preview, the engine would find a difference from the plan when it has changed something already.
        skipped = [] if plan else ["--skip-preview"]
        options = [*QUIET, "--stack", stack.name, "--policy-pack", "policy", "--config-file", str(config), *planned]
        once_unlocked([cli(), "up", "--yes", *skipped, *options], **variables)


def preview(stack: Stack) -> Plan:
    """Plan `pulumi up`, and print what it would change to stderr. Raises as `up`."""
    with temporary() as folder:
        plan, log, facts = (folder / name for name in ("plan.json", "log", "facts.json"))
        if stack.laptop:
            command = [*local(stack.laptop.home), "preview", stack.name, "--policy-log", str(log)]
        else:
            options = [*QUIET, "--stack", stack.name, "--policy-pack", "policy", "--event-log", str(log)]
            command = [cli(), "preview", "--diff", *options]
        run([*command, "--plan" if stack.laptop else "--save-plan", str(plan)], **{FACTS: str(facts)}, **LOGGED)
        events = [json.loads(line) for line in log.read_text().splitlines()]
        found = [_finding(event["policyEvent"]) for event in events if "policyEvent" in event]
        return Plan(json.loads(plan.read_text()), **json.loads(facts.read_text()), findings=sorted(found))


@contextmanager
def temporary() -> Generator[Path]:
    """A temporary folder. Raises UsageError for an OSError of the block."""
    folder = "no temporary folder"
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror}") from None


def _finding(event: Mapping[str, str]) -> str:
    about = f"{resource(urn)}: " if (urn := event.get("resourceUrn")) else ""
    return f"{event['enforcementLevel']} {event['policyName']}: {about}{one_line(event['message'])}"


def local(home: Path) -> list[str]:
    """The command line of the local clouds."""
    return [sys.executable, "-m", "local", "--home", str(home)]


def once_unlocked(command: list[str], **variables: str) -> None:
    """Run the engine, after another update of the stack. Raises UpFailed.

    A backend keeps the lock of an update that was killed: `make recover` removes it.
    """
    deadline = time.monotonic() + LOCKED_FOR
    while True:
        try:
            return run(command, **variables)
        except UpFailed as error:
            if not LOCKED.search(str(error)) or time.monotonic() > deadline:
                raise
            say_aside(f"waiting: {error}")
        time.sleep(PAUSE)


def _configured(stack: Stack, settings: Mapping[str, str]) -> str:
    """The stack's file with the settings, which are the project's keys."""
    content, prefix = stack.file(), project_key("")
    config = content["config"] | {f"{prefix}{key}": value for key, value in settings.items()}
    return yaml.safe_dump(content | {"config": config})


def run(command: list[str], **variables: str) -> None:
    """Run the engine with these variables in its environment, and print its output to stderr. Raises UpFailed.

    A terminal's Ctrl-C also reaches the engine, which then completes what it has begun.
    """
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as engine:
        assert engine.stdout
        try:
            for line in engine.stdout:
                lines.append(line.strip())
                say_aside(line.rstrip("\n"))
        except KeyboardInterrupt:
            engine.communicate()  # it would wait for ever for somebody to read what it prints
            raise
    if engine.returncode:
        raise UpFailed(_reason(lines), "\n".join(lines))


def _reason(lines: list[str]) -> str:
    """The first error that says more than that the update failed, else the last line."""
    errors = (line.partition("error: ")[2].strip() for line in lines)
    last = next((line for line in reversed(lines) if line), "no output")
    return next((error for error in errors if error and error != "update failed"), last)
