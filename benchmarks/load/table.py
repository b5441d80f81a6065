"""The numbers of all targets side by side, as text."""

from collections.abc import Mapping

from benchmarks.load.delays import DELAYS
from benchmarks.load.summary import STORES, Line

COLUMNS = ("/s", "p50", "p95", "p99", "errors")
NAME, NUMBER = 26, 8


def table(title: str, of_targets: Mapping[str, Mapping[str, Line]]) -> list[str]:
    """One line for each name. The stores share one."""
    names = dict.fromkeys(_row(name) for lines in of_targets.values() for name in lines)
    width = NUMBER * len(COLUMNS)
    return [
        title.ljust(NAME) + "".join(target.rjust(width) for target in of_targets),
        " " * NAME + "".join(column.rjust(NUMBER) for _ in of_targets for column in COLUMNS),
        *(
            _name(row, of_targets).ljust(NAME) + "".join(_cells(row, lines) for lines in of_targets.values())
            for row in names
        ),
    ]


def delayed() -> str:
    return "injected: " + ", ".join(f"{upstream} {delay.milliseconds} ms" for upstream, delay in DELAYS.items())


def _row(name: str) -> str:
    return "store" if name in STORES else name


def _name(row: str, of_targets: Mapping[str, Mapping[str, Line]]) -> str:
    if row != "store":
        return row
    return ", ".join(store for store in STORES if any(store in lines for lines in of_targets.values()))


def _cells(row: str, lines: Mapping[str, Line]) -> str:
    line = next((line for name, line in lines.items() if _row(name) == row), None)
    if line is None:
        return " " * NUMBER * len(COLUMNS)
    times = ("" if time is None else f"{time:.1f}" for time in (line.p50, line.p95, line.p99))
    return "".join(cell.rjust(NUMBER) for cell in (f"{line.rate:.1f}", *times, str(line.errors)))
