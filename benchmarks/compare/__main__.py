"""The command of `make compare`. Exits with 1 if a ratio of the app has got worse, or a peer does not work."""

import argparse
import os
import platform
import signal
import sys
import tomllib
from pathlib import Path

from benchmarks.compare import page, rounds
from benchmarks.compare.catalog import FLOORS, PEERS, Peer
from benchmarks.compare.packages import ROOT, UNPACKED, package
from benchmarks.compare.processes import CompareError, leave_a_core
from benchmarks.compare.report import conclude
from benchmarks.compare.results import Results
from benchmarks.compare.upstreams import upstreams
from local.cloud.common.unpack import remove

ROUNDS = 16
NAMES = sorted({peer.short_name for peer in PEERS.values()})


def main() -> int:
    parser = argparse.ArgumentParser(prog="make compare")
    parser.add_argument("--peers", nargs="+", choices=NAMES, default=[], metavar="PEER", help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each is measured")
    parser.add_argument("--update", action="store_true", help="store the results even if a ratio has got worse")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error(f"argument --rounds: {given.rounds} rounds measure nothing")
    try:
        results = compare(_chosen(given.peers), given.rounds)
    except CompareError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(page.measured(results))
    if given.peers or given.rounds != ROUNDS:
        print("Nothing is stored: these are not all peers and rounds.")
        return 0
    return conclude(results, given.update)


def compare(peers: list[Peer], count: int) -> Results:
    """Measures the peers. Raises CompareError."""
    core = leave_a_core()
    print(f"Measuring {len(peers)} packages in {count} rounds ...", file=sys.stderr)
    remove(UNPACKED)
    packages = {peer.name: package(peer) for peer in peers}
    with upstreams() as addresses:
        found = rounds.measure(packages, peers, addresses, core, count)
    for name, one in packages.items():
        if PEERS[name].platform != "memory":  # these are the packages of Cloud Run
            found[name] |= {"zipped": [round(one.zipped, 2)], "unpacked": [round(one.unpacked, 2)]}
    return Results(_machine(), _versions(), found)


def _chosen(names: list[str]) -> list[Peer]:
    """Those with these names, and the floors of their platforms; all without a name."""
    chosen = [peer for peer in PEERS.values() if not names or peer.short_name in names]
    floors = {FLOORS[peer.platform] for peer in chosen}
    return [peer for peer in PEERS.values() if peer in chosen or peer.name in floors]


def _machine() -> dict[str, str | int]:
    processors = Path("/proc/cpuinfo").read_text().split("model name\t: ")
    return {
        "cores": os.cpu_count() or 1,
        "processor": processors[1].partition("\n")[0] if len(processors) > 1 else platform.machine(),
        "Python": platform.python_version(),
    }


def _versions() -> dict[str, str]:
    """What the groups of benchmarks/pyproject.toml name, in the versions of its lock."""
    benchmarks = ROOT / "benchmarks"
    groups = tomllib.loads((benchmarks / "pyproject.toml").read_text())["dependency-groups"]
    used = {name for group in {peer.group for peer in PEERS.values()} for name in groups.get(group, [])}
    locked = tomllib.loads((benchmarks / "uv.lock").read_text())["package"]
    return {one["name"]: one["version"] for one in locked if one["name"] in used}


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
