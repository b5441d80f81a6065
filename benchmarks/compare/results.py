"""What was measured: stored in benchmarks/results.json, and held against what was stored before."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.compare.catalog import FLOORS, OURS, PEERS
from benchmarks.compare.intervals import Median, median, ratio

FILE = Path(__file__).parents[1] / "results.json"
GATED = ("cold", "restored", "p50", "memory", "throughput", "zipped")
"""p99 is not: without a network, it is the machine's own."""
HIGHER_IS_BETTER = {"throughput"}
SAME = 0.03
"""Ratios that differ by less are the same: what differs from run to run, but not within one, is in no interval."""


@dataclass(frozen=True)
class Results:
    """`peers` has, by peer and metric, a value for each round, or one alone for the sizes.

    Times are in ms, `throughput` in answers a second, `memory`, `zipped` and `unpacked` in MB.
    """

    machine: Mapping[str, str | int]
    versions: Mapping[str, str]
    peers: Mapping[str, Mapping[str, list[float]]]

    @classmethod
    def load(cls) -> "Results":
        return cls(**json.loads(FILE.read_text()))

    @classmethod
    def committed(cls) -> "Results":
        """Those of the last commit, so that no run becomes the measure of the next by itself; outside git, the file."""
        shown = subprocess.run(["git", "show", f"HEAD:./{FILE.name}"], cwd=FILE.parent, capture_output=True, text=True)
        return cls.load() if shown.returncode else cls(**json.loads(shown.stdout))

    def save(self) -> None:
        """With a line for each peer and metric."""
        text = json.dumps(asdict(self), indent=1)
        peers = ",\n".join(
            f"  {json.dumps(name)}: {{\n"
            + ",\n".join(f"   {json.dumps(metric)}: {json.dumps(values)}" for metric, values in metrics.items())
            + "\n  }"
            for name, metrics in self.peers.items()
        )
        head = text[: text.index('"peers"')]
        FILE.write_text(f'{head}"peers": {{\n{peers}\n }}\n}}\n')

    def has(self, peer: str, metric: str) -> bool:
        return metric in self.peers.get(peer, {})

    def median(self, peer: str, metric: str) -> Median:
        return median(self.peers[peer][metric])

    def ratio(self, peer: str, metric: str, floor: str = "") -> Median:
        """To the floor of the peer's platform, or to another peer."""
        base = floor or FLOORS[PEERS[peer].platform]
        return ratio(self.peers[peer][metric], self.peers[base][metric])


def worse(new: Results, old: Results) -> Iterator[str]:
    """A line for each ratio of ours that is worse than the old one by more than the intervals of both allow."""
    for name, peer in PEERS.items():
        for metric in GATED if peer.group == OURS else ():
            if not (new.has(name, metric) and old.has(name, metric)):
                continue
            now, before = new.ratio(name, metric), old.ratio(name, metric)
            fell = now.high < before.low * (1 - SAME)
            rose = now.low > before.high * (1 + SAME)
            if fell if metric in HIGHER_IS_BETTER else rose:
                yield (
                    f"{name}: {metric} is {now} of {FLOORS[peer.platform]}'s, and was {before}: "
                    "find out why, or accept it with UPDATE=1"
                )
