"""`make dev`: the checkout's app on a stack's store and cache, which starts again after each edit."""

import os
import socket
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT

import httpx
import pytest

from tests.e2e.laptop import ROOT, Laptop

EDIT = """

@app.get("/edited")
def edited() -> str:
    return "yes"
"""


@contextmanager
def dev(laptop: Laptop, stack: str, checkout: Path = ROOT) -> Generator[tuple[str, Iterator[str]]]:
    """Its URL, and the lines that it prints from then on. Ctrl-C ends it, with no traceback and no process left."""
    process = laptop.start("dev", "--port", "0", stack, checkout=checkout, stderr=subprocess.STDOUT)
    assert process.stdout
    printed: list[str] = []
    lines = (printed.append(line) or line for line in process.stdout)
    try:
        yield until("Running on ", lines).rpartition(" ")[2].strip(), lines
    finally:
        os.killpg(process.pid, SIGINT)
        printed.extend(process.stdout)  # ends when the last process that may write has ended
        returned = process.wait()
        process.stdout.close()
    assert returned == 0
    assert "Traceback" not in "".join(printed)
    assert laptop.daemon()["momentoApiKey"] not in "".join(printed)


def until(words: str, lines: Iterator[str]) -> str:
    return next(line for line in lines if words in line)


def test_it_has_the_stacks_store_and_cache_and_the_newest_edit(clouds: Laptop, second_checkout: Path) -> None:
    stack = clouds.outputs()["aws"]["url"]
    user: dict[str, object] = {"id": "seen-by-both", "name": "Ada", "followers": []}
    httpx.put(f"{stack}/users/seen-by-both", json=user, headers={"If-None-Match": "*"}, timeout=30).raise_for_status()
    try:
        with dev(clouds, "aws", second_checkout) as (url, lines):
            until("Restarting with", lines)
            assert httpx.get(f"{url}/users/seen-by-both", timeout=30).json() == user
            httpx.get(f"{url}/cached-users/seen-by-both", timeout=30).raise_for_status()
            cached = httpx.get(f"{stack}/cached-users/seen-by-both", timeout=30)
            assert cached.headers["cache-status"].endswith("; hit")
            assert httpx.get(f"{url}/health/live", timeout=30).json()["artifact"] == "development"

            with (second_checkout / "app" / "wsgi.py").open("a") as module:
                module.write(EDIT)
            until("Restarting with", lines)
            assert httpx.get(f"{url}/edited", timeout=30).text == "yes"
    finally:
        httpx.delete(f"{stack}/users/seen-by-both", headers={"If-Match": "*"}, timeout=30).raise_for_status()


@pytest.mark.prove
def test_it_brings_a_stack_up_that_is_not(laptop: Laptop) -> None:
    with dev(laptop, "gcp") as (url, _):
        user: dict[str, object] = {"id": "1", "name": "Ada", "followers": []}
        httpx.post(f"{url}/users", json=user, timeout=30).raise_for_status()
        stack = laptop.outputs()["gcp"]["url"]
        assert httpx.get(f"{stack}/users/1", timeout=30).json()["name"] == "Ada"


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        refused = Laptop(tmp_path).run("dev", "--port", port)
    assert refused.returncode == 1
    assert refused.stderr == f"port {port}: Address already in use: `make dev PORT=5001` takes another\n"
    refused = Laptop(tmp_path).run("dev", "--port", "http")
    assert (refused.returncode, refused.stderr) == (1, "PORT is 'http': it takes 0 to 65535\n")
