import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from ops.__main__ import main
from tests.momento.conftest import Momento, running
from tests.ops.backend import Backend

ROOT = Path(__file__).parents[2]
APP_PYTHON = ROOT / "app" / ".venv" / "bin" / "python"
DIGEST = "sha256:" + "1" * 64


class Result(NamedTuple):
    """`wrong` are the lines of what is wrong, without the prefix of ids, which is random."""

    code: int
    wrong: list[str]
    out: str
    err: str


type Check = Callable[..., Result]


@pytest.fixture(scope="session")
def liars() -> Iterator[dict[str, Any]]:
    """What tests/app/liars.py prints: URLs by lie, and tokens."""
    command = [APP_PYTHON, "-m", "tests.app.liars"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield json.loads(process.stdout.readline())
        process.stdin.close()


@pytest.fixture(scope="module")
def momento() -> Iterator[Momento]:
    with running("local.cloud.momento") as momento:
        yield momento


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    """A backend of the real engine in a folder."""
    return Backend.made(tmp_path)


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Check:
    """Runs `ops check` in this process, where no laptop's clouds are."""

    def check(*arguments: str) -> Result:
        code = main(["check", "--home", str(tmp_path / "home"), *arguments])
        out, err = capsys.readouterr()
        out = re.sub(r"check-[0-9a-f]{8}-", "", out)
        return Result(code, [line[9:] for line in out.splitlines() if line.startswith("WRONG ")], out, err)

    return check


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a `pulumi` on PATH that has these outputs, or this error, and writes its arguments to `arguments`."""

    def put(values: dict[str, Any] | None = None, error: str = "") -> None:
        pulumi = tmp_path / "pulumi"
        answer = f"echo '{json.dumps(values or {})}'" if not error else f"echo '{error}' >&2; exit 6"
        pulumi.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\n{answer}\n')
        pulumi.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return put


def users_left(url: str) -> list[str]:
    return [user["id"] for user in httpx.get(f"{url}/users?limit=100").json()["users"]]
