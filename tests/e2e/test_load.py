"""A short load on both clouds of the laptop: its numbers, its delays, and that none of these outlive it."""

import json
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from benchmarks.load.delays import DELAYS, injected
from benchmarks.load.runner import FOLDER
from benchmarks.load.summary import PICTURED
from ops import metric_log
from ops.stack import Stack, UsageError
from tests.e2e.laptop import ROOT, Laptop
from tests.processes import command_line

pytestmark = pytest.mark.prove
STORES = {"aws": "dynamodb", "gcp": "firestore"}
USERS = "benchmarks/load/users.py"


@pytest.fixture(scope="module", autouse=True)
def locust() -> None:
    subprocess.run(["make", "benchmarks/.venv/ready"], cwd=ROOT, check=True)


def command(clouds: Laptop, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.load", "--home", str(clouds.home), "--users", "2", *arguments]


def fastest(clouds: Laptop, cloud: str) -> dict[str, float]:
    """The least milliseconds that the store and the cache take now, of ten reads."""
    begin = time.time()
    with httpx.Client(base_url=clouds.outputs()[cloud]["url"], timeout=30) as client:
        for route in ("users", "cached-users"):
            for _ in range(10):
                client.get(f"/{route}/load-reader-0").raise_for_status()
    times = metric_log.read(Stack.find(cloud, clouds.home), begin, time.time() + 1)
    return {name: min(one.milliseconds for one in times if one.name == name) for name in (STORES[cloud], "momento")}


def test_a_load_is_delayed_like_the_clouds_and_nothing_is_afterwards(clouds: Laptop) -> None:
    begin = time.time()
    ran = subprocess.run(command(clouds, "--time", "12"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "injected: dynamodb 5 ms, firestore 20 ms, momento 2 ms" in ran.stdout
    assert (FOLDER / "report.html").stat().st_mtime > begin
    result = json.loads((FOLDER / "load.json").read_text())
    for cloud, store in STORES.items():
        of_cloud = result["targets"][cloud]
        assert set(of_cloud["series"]) == set(PICTURED) - set(STORES.values()) | {store}
        assert {line["errors"] for line in of_cloud["numbers"].values()} == {0}
        undelayed = fastest(clouds, cloud)
        for name in (store, "momento"):
            assert of_cloud["numbers"][name]["p50"] >= DELAYS[name].milliseconds
            assert undelayed[name] < of_cloud["numbers"][name]["p50"]


def test_a_killed_load_leaves_neither_delays_nor_users(clouds: Laptop) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(command(clouds, "--time", "60"), cwd=ROOT, stdout=pipe, text=True) as load:
        assert load.stdout
        assert any(line.startswith("5 s") for line in load.stdout)
        with pytest.raises(UsageError, match="another client holds delays"), injected(clouds.home):
            pass
        users = [one for one in psutil.Process(load.pid).children() if USERS in command_line(one)]
        load.kill()
    assert len(users) == 1
    assert psutil.wait_procs(users, timeout=60)[1] == []
    with injected(clouds.home):
        pass
