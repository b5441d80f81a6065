"""The laptop's clouds as the tests drive them."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from local.cli import state
from local.cli.home import Home
from tests.e2e.forks import ROOT, Fork

APP_PYTHON = ROOT / "app" / ".venv" / "bin" / "python"

REAL_KEY = "a-key-of-the-real-momento"
ACCOUNT = {"MOMENTO_API_KEY": REAL_KEY, "MOMENTO_APP_API_KEY": REAL_KEY}


type Outputs = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Laptop:
    """The laptop's clouds in a home of their own, driven by the commands that the Makefile calls.

    Who calls them works with a real account, too.
    """

    home: Path

    def run(self, *arguments: str, checkout: Path = ROOT) -> subprocess.CompletedProcess[str]:
        return self.fork(*arguments, checkout=checkout).end()

    def fork(self, *arguments: str, checkout: Path = ROOT) -> Fork:
        return Fork("--home", str(self.home), *arguments, checkout=checkout, env=os.environ | ACCOUNT)

    def start(self, *arguments: str, checkout: Path = ROOT, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """The command in a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=checkout,
            env=os.environ | ACCOUNT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "local", "--home", str(self.home), *arguments]

    def must(self, *arguments: str, checkout: Path = ROOT) -> str:
        result = self.run(*arguments, checkout=checkout)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def outputs(self) -> Outputs:
        """What the command `outputs` prints, without an interpreter for each question."""
        return state.outputs(Home(self.home))

    def daemon(self) -> dict[str, Any]:
        return json.loads((self.home / "daemon.json").read_text())

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """The answer of the daemon's control API."""
        daemon = self.daemon()
        headers = {"Authorization": f"Bearer {daemon['token']}"}
        return httpx.request(method, daemon["control"] + path, json=body, headers=headers, timeout=60)

    def processes(self) -> dict[int, str]:
        """Command lines by process id, of all processes whose environment or arguments name this home."""
        found: dict[int, str] = {}
        for process in psutil.process_iter(["cmdline", "environ", "cwd"]):
            about = process.info
            if process.pid != os.getpid() and str(self.home) in str(about):
                found[process.pid] = " ".join(about["cmdline"] or [])
        return found


@contextmanager
def aws(laptop: Laptop, service: str) -> Generator[Any]:
    """A client of the laptop's AWS."""
    boto3: Any = importlib.import_module("boto3")  # its types are not installed
    session = boto3.Session(aws_access_key_id="laptop", aws_secret_access_key="laptop", region_name="us-east-1")
    client = session.client(service, endpoint_url=laptop.daemon()["aws"])
    yield client
    client.close()


def versions(laptop: Laptop) -> list[str]:
    """The published versions of stack aws's function."""
    with aws(laptop, "lambda") as functions:
        found = functions.list_versions_by_function(FunctionName="better-together-aws")["Versions"]
    return [one["Version"] for one in found if one["Version"] != "$LATEST"]
