"""A changed app is rolled out on both clouds at once, and rolled back without a build, under requests all the while."""

import math
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.laptop import Laptop, versions

REQUESTS = 400
CONFIDENCE = 1 - 1e-9
PAUSE = 0.2  # seconds between requests while the engine works: it shall get its share of the machine


@pytest.fixture
def edited(second_checkout: Path) -> Path:
    """A second checkout, whose app has one more file, and is built."""
    (second_checkout / "app" / "edited.py").touch()
    subprocess.run([sys.executable, "-m", "stacks.artifact"], cwd=second_checkout, capture_output=True, check=True)
    return second_checkout


@contextmanager
def under_requests(urls: dict[str, str]) -> Generator[None]:
    """The stacks are asked all the time, and none of the requests may fail."""
    over = threading.Event()

    def ask(url: str) -> Counter[int]:
        with httpx.Client(base_url=url, timeout=30) as client:
            statuses = Counter[int]()
            while not over.wait(PAUSE):
                statuses[client.get("/health/live").status_code] += 1
            return statuses

    with ThreadPoolExecutor(4) as pool:
        asked = {name: [pool.submit(ask, url) for _ in range(2)] for name, url in urls.items()}
        try:
            yield
        finally:
            over.set()
        for name, answers in asked.items():
            assert all(set(answer.result()) == {200} for answer in answers), (name, [a.result() for a in answers])


def answering(url: str, count: int) -> Counter[str]:
    """How many of the requests were answered by which artifact."""
    with httpx.Client(base_url=url, timeout=30) as client, ThreadPoolExecutor(4) as pool:
        return Counter(answer.json()["artifact"] for answer in pool.map(client.get, ["/health/live"] * count))


def binomial_interval(count: int, chance: float, confidence: float) -> tuple[int, int]:
    """The least and the most successes, with half of what is left of the confidence beyond each."""
    tail = (1 - confidence) / 2
    at_most, bounds = 0.0, list[int]()
    for successes in range(count + 1):
        at_most += math.comb(count, successes) * chance**successes * (1 - chance) ** (count - successes)
        if len(bounds) == 0 and at_most > tail:
            bounds.append(successes)
        if at_most >= 1 - tail:
            return bounds[0], successes
    raise AssertionError("a distribution adds up to 1")


@pytest.mark.parametrize("stacks", [["aws"], pytest.param(["aws", "gcp"], marks=pytest.mark.prove)], ids=" ".join)
def test_rollout_and_rollback(restored: Laptop, edited: Path, stacks: list[str]) -> None:
    """Chance alone fails this once in 5 * 10^8 runs: on either cloud the share leaves the interval in 1 of 10^9."""
    laptop = restored

    def outputs() -> dict[str, dict[str, Any]]:
        return {name: outputs for name, outputs in laptop.outputs().items() if name in stacks}

    before = outputs()
    urls = {name: outputs["url"] for name, outputs in before.items()}
    [old] = {outputs["artifactDigest"] for outputs in before.values()}

    def answering_now(count: int) -> dict[str, Counter[str]]:
        return {name: answering(url, count) for name, url in urls.items()}

    with under_requests(urls):
        laptop.must("up", *stacks, "--rollout", "10", checkout=edited)
    begun = outputs()
    [new] = {outputs["artifactDigest"] for outputs in begun.values()} - {old}
    assert {outputs["stableDigest"] for outputs in begun.values()} == {old}
    least, most = binomial_interval(REQUESTS, 0.1, CONFIDENCE)
    for name, answers in answering_now(REQUESTS).items():
        assert answers.keys() == {old, new}, name
        assert least <= answers[new] <= most, (name, answers, least, most)

    with under_requests(urls):
        laptop.must("up", *stacks, checkout=edited)
    assert answering_now(100) == {name: {new: 100} for name in stacks}

    shutil.rmtree(edited / "build")
    with under_requests(urls):
        laptop.must("up", *stacks, "--artifact", old, checkout=edited)
    assert answering_now(100) == {name: {old: 100} for name in stacks}
    assert not (edited / "build").exists()
    for name, after in outputs().items():
        assert (after["artifactDigest"], after["stableDigest"]) == (old, old), name
        assert [release["digest"] for release in after["releases"]][:2] == [new, old], name
    assert versions(laptop) == sorted((one["revision"] for one in outputs()["aws"]["releases"]), key=int)


@pytest.mark.prove
def test_an_artifact_that_never_ran_is_refused_in_one_line(clouds: Laptop) -> None:
    before = clouds.outputs()
    never = "sha256:" + "0" * 64
    result = clouds.run("up", "gcp", "--artifact", never)
    assert result.returncode == 1
    known = ", ".join(release["digest"] for release in before["gcp"]["releases"])
    refusal = f"Pulumi.gcp.yaml: better-together:artifact is '{never}', which never ran here: it takes build"
    assert f"{refusal}, or one of {known}" in result.stderr
    assert "Traceback" not in result.stderr
    assert clouds.outputs() == before
