"""The tables of docs/performance.md."""

from collections.abc import Callable

from benchmarks.compare.catalog import FLOORS, PEERS, Peer
from benchmarks.compare.goals import GOALS
from benchmarks.compare.intervals import difference
from benchmarks.compare.results import Results
from docs.tables import table, text_table

PLATFORMS = {"lambda": "Lambda", "run": "Cloud Run", "memory": "Cloud Run, without a store"}
HEADER = (
    "",
    "cold start: least, ms",
    "median",
    "of the floor's",
    "after a restore",
    "warm p50, ms",
    "over the floor's",
    "p99",
    "answers a second",
    "of the floor's",
    "peak memory, MB",
    "zipped, MB",
    "unpacked",
)


def measured(results: Results) -> str:
    """A row for each peer that was measured, by platform."""
    rows: list[list[str]] = []
    for platform, title in PLATFORMS.items():
        of_it = [peer for peer in PEERS.values() if peer.platform == platform and peer.name in results.peers]
        if of_it:
            rows.append([f"**{title}**", *[""] * (len(HEADER) - 1)])
            rows += (_row(results, peer) for peer in of_it)
    return table(HEADER, rows)


def _row(results: Results, peer: Peer) -> list[str]:
    floor = FLOORS[peer.platform]

    def cell(metric: str, show: Callable[[str], str]) -> str:
        return show(metric) if results.has(peer.name, metric) else ""

    def value(digits: int) -> Callable[[str], str]:
        return lambda metric: f"{results.median(peer.name, metric).value:,.{digits}f}"

    def of_floor(metric: str) -> str:
        return str(results.ratio(peer.name, metric)) if peer.name != floor else "1, the floor"

    def over_floor(metric: str) -> str:
        over = difference(results.peers[peer.name][metric], results.peers[floor][metric])
        return f"{over.value:+.2f}" if peer.name != floor else ""

    return [
        peer.title if peer.compiled else f"{peer.title}, without .pyc",
        cell("cold", lambda metric: f"{min(results.peers[peer.name][metric]):,.0f}"),
        cell("cold", value(0)),
        cell("cold", of_floor),
        cell("restored", value(1)),
        cell("p50", value(2)),
        cell("p50", over_floor),
        cell("p99", value(1)),
        cell("throughput", value(0)),
        cell("throughput", of_floor),
        cell("memory", value(0)),
        cell("zipped", value(1)),
        cell("unpacked", value(1)),
    ]


def goals(results: Results) -> str:
    rows = [
        [
            goal.title,
            f"{'at least' if goal.at_least else 'at most'} {goal.limit:g}",
            f"{goal.value(results):.2f}",
            "met" if goal.is_met(results) else "not met",
        ]
        for goal in GOALS
    ]
    return text_table(["", "goal", "measured", ""], rows)


def measured_with(results: Results) -> str:
    facts = {**results.machine, **results.versions}
    return text_table(["measured with", ""], [[name, str(value)] for name, value in facts.items()])


TABLES: dict[str, Callable[[], str]] = {
    "measured": lambda: measured(Results.load()),
    "goals": lambda: goals(Results.load()),
    "measured with": lambda: measured_with(Results.load()),
}
