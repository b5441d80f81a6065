"""What the SDK calls with the engine's output never raises: its thread would end, and the engine wait for ever."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from local.cli import commands, engine
from local.cli.engine_output import shown
from local.cli.home import Home
from local.cli.workspace import LaptopStack


@contextmanager
def closed_terminal() -> Generator[None]:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe, redirect_stdout(pipe), redirect_stderr(pipe):
        yield


def test_a_full_disk_and_a_closed_terminal(tmp_path: Path) -> None:
    home = Home(tmp_path)
    stack = engine.open_stack(home, "aws")
    home.logs.mkdir()
    (home.logs / "engine-aws.log").symlink_to("/dev/full")
    with closed_terminal(), shown(home, stack, verbose=True) as arguments:
        for line in ("a", "b"):
            arguments["on_output"](line)


def test_a_preview_that_nobody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of `make preview STACK=aws | head -1`."""
    printed: list[str] = []

    def preview(stack: LaptopStack, on_output: Callable[[str], None], on_error: Callable[[str], None], **_: object):
        for line in ("a", "b"):
            on_output(line)
            on_error(line)
            printed.append(line)

    monkeypatch.setattr(engine, "warm_up", bool)
    monkeypatch.setattr(LaptopStack, "preview", preview)
    with closed_terminal():
        commands.preview(Home(tmp_path), "aws", artifact="promoted")
    assert printed == ["a", "b"]
