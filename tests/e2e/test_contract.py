"""Every runtime does what its openapi.json says. CONTRACT_CASES is how many cases schemathesis makes up for a route."""

import os
import re
import subprocess

import httpx
import pytest

from tests.e2e.laptop import APP_PYTHON, ROOT

CASES = os.environ.get("CONTRACT_CASES", "20")


@pytest.mark.prove  # tests/app/test_contract.py tries fewer cases in one process
@pytest.mark.parametrize("name", ["aws", "gcp", "flask run"])
def test_schemathesis_finds_nothing(runtimes: dict[str, httpx.Client], name: str) -> None:
    warm_up(runtimes[name])
    url = str(runtimes[name].base_url.join("/openapi.json"))
    command = [
        APP_PYTHON,
        "-m",
        "schemathesis.cli",
        "run",
        url,
        "--max-examples",
        CASES,
        "--warnings",
        "off",
        "--no-color",
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    count = re.search(r"(\d+) generated, (\d+) passed", result.stdout)
    assert count, result.stdout
    assert count[1] == count[2] != "0"
    print(f"{name}: {count[0]}")


def warm_up(client: httpx.Client) -> None:
    """The first batch of writes can take a Firestore emulator, which is a young JVM, longer than the app waits."""
    for _ in range(10):
        if client.post("/bootstrap").status_code != 503:
            return
