"""What holds for all tests, in either environment."""

import re
from collections import defaultdict

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the seeds of each seeded proof."""
    seeds: defaultdict[str, set[int]] = defaultdict(set)
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        if found := re.search(r"(.+)\[.*\bseed (\d+)\b.*\]", report.nodeid):
            seeds[found[1]].add(int(found[2]))
    for test, tried in seeds.items():
        terminalreporter.write_line(f"{test}: seeds {', '.join(map(str, sorted(tried)))}")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name binary data by its size: gzip's contain the time, and the processes of xdist must collect the same tests."""
    return f"{len(val)} bytes" if isinstance(val, bytes) and not val.isascii() else None
