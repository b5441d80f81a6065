"""The paths from the app's real processes to their cache and store are broken; both clouds must bear it."""

import os
import select
import signal
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Laptop

pytestmark = pytest.mark.xdist_group("clouds")

STORES = {"aws": "aws", "gcp": "firestore"}


@pytest.fixture(params=["aws", "gcp"])
def cloud(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def client(cloud: str, clouds: Laptop, runtimes: dict[str, httpx.Client]) -> Generator[httpx.Client]:
    """Its app has young processes, before and after the test: no circuit is open."""
    kill_workers(clouds, cloud)
    yield runtimes[cloud]
    kill_workers(clouds, cloud)


@contextmanager
def broken(clouds: Laptop, service: str, fault: str) -> Generator[None]:
    url = f"{clouds.daemon()['control']}/faults/{service}"
    httpx.put(url, json={"fault": fault}).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(url).raise_for_status()


def kill_workers(clouds: Laptop, cloud: str) -> None:
    """kill -9 of what runs the app: the Lambda environments, or gunicorn's workers."""
    for pid in workers(clouds, cloud):
        gone = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        select.select([gone], [], [])
        os.close(gone)


def workers(clouds: Laptop, cloud: str) -> set[int]:
    program = b"awslambdaric" if cloud == "aws" else b"gunicorn"
    found: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = str(clouds.home) in str((process / "cwd").readlink())
            if ours and program in (process / "cmdline").read_bytes():
                found[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return set(found) if cloud == "aws" else {pid for pid, parent in found.items() if parent in found}


@pytest.mark.parametrize("fault", ["down", "slow"])
def test_without_the_cache_the_store_answers(client: httpx.Client, cloud: str, clouds: Laptop, fault: str) -> None:
    user: dict[str, Any] = {"id": f"cache-{fault}", "name": "Ada", "followers": []}
    created = client.post("/users", json=user)
    assert created.status_code == 201, created.text
    assert client.get(f"/cached-users/{user['id']}").status_code == 200
    with broken(clouds, "momento", fault):
        answers = [client.get(f"/cached-users/{user['id']}") for _ in range(5)]
    assert [(answer.status_code, answer.json()["name"]) for answer in answers] == [(200, "Ada")] * 5
    outcomes = [answer.headers["cache-status"] for answer in answers]
    assert all("fwd=miss" in outcome for outcome in outcomes), outcomes
    opened = ["detail=circuit_open" in outcome for outcome in outcomes]
    assert opened == [False, False, False, True, True], outcomes


def test_without_the_store_it_is_503(client: httpx.Client, cloud: str, clouds: Laptop) -> None:
    user: dict[str, Any] = {"id": "store-down", "name": "Ada", "followers": []}
    created = client.post("/users", json=user)
    assert created.status_code == 201, created.text
    with broken(clouds, STORES[cloud], "down"):
        answers = [client.get("/users/store-down"), client.post("/users", json=user | {"id": "other"})]
    assert [(answer.status_code, answer.headers.get("retry-after")) for answer in answers] == [(503, "2")] * 2
    assert client.get("/users/store-down").json()["name"] == "Ada"
    assert client.get("/users/other").status_code == 404


def test_a_process_killed_in_mid_request_loses_nothing(client: httpx.Client, cloud: str, clouds: Laptop) -> None:
    before: dict[str, Any] = {"id": "killed", "name": "Before", "followers": []}
    created = client.post("/users", json=before)
    assert created.status_code == 201, created.text
    held = f"{clouds.daemon()['control']}/faults/{STORES[cloud]}/held"
    with ThreadPoolExecutor(1) as threads, broken(clouds, STORES[cloud], "held"):
        write = threads.submit(client.post, "/users", json={"id": "in-flight", "name": "Never", "followers": []})
        httpx.get(held, timeout=30).raise_for_status()
        kill_workers(clouds, cloud)
        assert write.result().status_code in (500, 503)
    assert client.get("/users/killed").json()["name"] == "Before"
    retried = client.post("/users", json={"id": "after", "name": "After", "followers": []})
    assert retried.status_code == 201
