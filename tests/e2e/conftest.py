import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
APP_PYTHON = ROOT / "app" / ".venv" / "bin" / "python"


@dataclass(frozen=True)
class Laptop:
    """The laptop's clouds in a home of their own, driven by the commands that the Makefile calls."""

    home: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "local", "--home", str(self.home), *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    def must(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def outputs(self) -> dict[str, dict[str, Any]]:
        return json.loads(self.must("outputs"))

    def daemon(self) -> dict[str, Any]:
        return json.loads((self.home / "daemon.json").read_text())

    def processes(self) -> list[str]:
        """Command lines of all processes whose environment or arguments name this home."""
        found: list[str] = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                about = command + (process / "environ").read_bytes() + str((process / "cwd").readlink()).encode()
            except OSError:
                continue
            if int(process.name) != os.getpid() and str(self.home).encode() in about:
                found.append(command.replace(b"\0", b" ").decode())
        return found


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    """Clouds that are not up yet, for tests that break them."""
    with tempfile.TemporaryDirectory(prefix="better-together-") as folder:
        laptop = Laptop(Path(folder))
        try:
            yield laptop
        finally:
            laptop.run("down")


@pytest.fixture(scope="session")
def clouds() -> Iterator[Laptop]:
    """Both stacks up, shared by the tests that leave them as they are."""
    folder = Path(tempfile.mkdtemp(prefix="better-together-"))
    laptop = Laptop(folder)
    try:
        laptop.must("up")
        yield laptop
        laptop.must("down")
        assert laptop.processes() == []
    finally:
        laptop.run("down")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def flask_run() -> Iterator[str]:
    """The app as a developer starts it: `flask run` with the store in memory. Yields its URL."""
    command = [APP_PYTHON, "-m", "flask", "--app", "app.wsgi", "run", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr
    lines = iter(process.stderr)
    url = next((line.rpartition("Running on ")[2].strip() for line in lines if "Running on " in line), "")
    drain = threading.Thread(target=deque, args=(lines, 0))  # it logs every request, and stops when nobody reads
    drain.start()
    try:
        assert url, "flask run did not start"
        yield url
    finally:
        process.terminate()
        process.wait()
        drain.join()
        process.stderr.close()


@pytest.fixture(scope="session")
def runtimes(clouds: Laptop, flask_run: str) -> Iterator[dict[str, httpx.Client]]:
    """A client for every runtime of the app: aws, gcp and flask run."""
    urls = {name: outputs["url"] for name, outputs in clouds.outputs().items()} | {"flask run": flask_run}
    clients = {name: httpx.Client(base_url=url, timeout=30) for name, url in urls.items()}
    yield clients
    for client in clients.values():
        client.close()
