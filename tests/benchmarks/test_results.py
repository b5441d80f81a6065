"""`make compare` refuses a run in which a ratio of the app got worse, and stores any other."""

import random
import shutil
import statistics
from pathlib import Path

import pytest

from benchmarks.compare import report, results
from benchmarks.compare.catalog import OURS, PEERS
from benchmarks.compare.results import Results, worse

SIZES = {"zipped", "unpacked"}
ON_LAMBDA = {"cold", "p50", "p99", "memory", "restored", *SIZES}
METRICS = {"lambda": ON_LAMBDA, "run": ON_LAMBDA - {"restored"}, "memory": {"throughput"}}
STORED = Results.load()


def run(seed: int, peer: str = "", metric: str = "", factor: float = 1) -> Results:
    """What a busy machine would measure of the stored peers. A metric of one peer is multiplied by the factor."""
    chance = random.Random(seed)

    def values(name: str, of: str, stored: list[float]) -> list[float]:
        value = statistics.median(stored) * (factor if (name, of) == (peer, metric) else 1)
        return [value * (1 if of in SIZES else chance.uniform(1, 1.3)) for _ in stored]

    peers = {
        name: {of: values(name, of, stored) for of, stored in metrics.items()} for name, metrics in STORED.peers.items()
    }
    return Results(STORED.machine, STORED.versions, peers)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Has copies of the stored results and of the page, which are written instead."""
    shutil.copy(results.FILE, tmp_path)
    shutil.copy(report.DOCS / "performance.md", tmp_path)
    monkeypatch.setattr(results, "FILE", tmp_path / "results.json")
    monkeypatch.setattr(report, "DOCS", tmp_path)
    return tmp_path


@pytest.mark.parametrize("seed", range(10))
def test_noise_passes(seed: int) -> None:
    assert not list(worse(run(seed), run(seed + 100)))


@pytest.mark.parametrize(
    ("peer", "metric", "factor"),
    [
        ("lambda/us", "cold", 1.4),
        ("lambda/us-store-only", "p50", 1.4),
        ("lambda/us", "restored", 1.4),
        ("run/us", "memory", 1.4),
        ("memory/us", "throughput", 0.6),
        ("lambda/us", "zipped", 1.04),
    ],
)
def test_a_ratio_that_got_worse_is_named_with_both_numbers(peer: str, metric: str, factor: float) -> None:
    [line] = worse(run(1, peer, metric, factor), run(2))
    assert line.startswith(f"{peer}: {metric} is ")
    assert "'s, and was " in line
    assert not list(worse(run(1), run(2, peer, metric, factor))), "it got better"


def test_a_peer_may_get_worse() -> None:
    assert not list(worse(run(1, "lambda/chalice", "cold", 2), run(2)))


def test_a_worse_run_is_not_stored_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report.conclude(run(1), update=True) == 0
    before = {path.name: path.read_text() for path in folder.iterdir()}
    slower = run(2, "lambda/us", "cold", 1.4)
    assert report.conclude(slower, update=False) == 1
    assert capsys.readouterr().err.startswith("lambda/us: cold is ")
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert report.conclude(slower, update=True) == 0
    assert Results.load() == slower


def test_a_run_like_the_last_is_stored_and_shown(folder: Path) -> None:
    assert report.conclude(run(1), update=True) == 0
    assert report.conclude(run(2), update=False) == 0
    assert Results.load() == run(2)
    shown = f"{run(2).median('lambda/us', 'cold').value:,.0f}"
    assert f"| {shown} |" in (folder / "performance.md").read_text()
    assert f"{shown} ms" in (folder / "performance.svg").read_text()


def test_every_peer_is_stored_with_every_metric() -> None:
    for name, peer in PEERS.items():
        measured = METRICS[peer.platform] if peer.compiled else {"cold", *SIZES}
        assert STORED.peers[name].keys() == measured, name
        assert all(len(values) > 5 for metric, values in STORED.peers[name].items() if metric not in SIZES), name
    assert STORED.peers.keys() == PEERS.keys()


def test_the_app_is_the_only_peer_that_is_held_against_its_past() -> None:
    ours = [name for name, peer in PEERS.items() if peer.group == OURS]
    assert ours == ["lambda/us-store-only", "lambda/us", "run/us", "memory/us"]
