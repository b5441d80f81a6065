"""Runs `pulumi up` with a few keys for this run only: the stack file stays as it is."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import yaml

from ops.report import say_aside
from ops.stack import ROOT, Stack, UsageError, project_key

# What a backend in a bucket and Pulumi Cloud say of a stack that another update changes.
LOCKED = re.compile(r"currently locked by \d+ lock|\[409\] Conflict: Another update")
LOCKED_FOR = 600  # seconds; another `pulumi up` takes less
PAUSE = 10.0  # seconds


class UpFailed(Exception):
    """The engine failed; the message is its reason, in one line, and `output` all that it said."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.output = output


def up(stack: Stack, settings: Mapping[str, str]) -> None:
    """Bring the stack to its file's configuration and `settings`, and print the engine's progress to stderr.

    Waits while another `pulumi up` changes the stack. Raises UpFailed, UsageError without a `pulumi`, and
    KeyboardInterrupt once the engine has ended after an interrupt.
    """
    if stack.laptop:
        home = str(stack.laptop.home)
        run([sys.executable, "-m", "local", "--home", home, "apply", stack.name, "--settings", json.dumps(settings)])
        return
    pulumi = shutil.which("pulumi")
    if not pulumi:
        raise UsageError("`pulumi` is not on PATH: install it")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "stack.yaml")
        file.write_text(_configured(stack, settings))
        options = ["--yes", "--non-interactive", "--skip-preview", "--stack", stack.name, "--config-file", str(file)]
        _once_unlocked([pulumi, "up", *options, "--policy-pack", "policy"])


def _once_unlocked(command: list[str]) -> None:
    """Waits for another update of the stack. A backend keeps the lock of an update that was killed: `make recover`."""
    deadline = time.monotonic() + LOCKED_FOR
    while True:
        try:
            return run(command)
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
    """Run the engine with these variables in its environment, and print its progress to stderr. Raises UpFailed.

    A terminal's Ctrl-C also reaches the engine, which then completes what it has begun.
    """
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"} | variables
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
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
