"""Prints what was measured, and stores it unless the app has got worse."""

import sys
from pathlib import Path

from benchmarks.compare import page, plot
from benchmarks.compare.results import Results, worse
from docs.tables import fill

DOCS = Path(__file__).parents[2] / "docs"


def conclude(results: Results, update: bool) -> int:
    """The exit code: 1, with nothing stored, if a ratio has got worse. `update` stores it nevertheless."""
    print(page.goals(results))
    if lines := [] if update else list(worse(results, Results.committed())):
        print(*lines, sep="\n", file=sys.stderr)
        return 1
    results.save()
    (DOCS / "performance.svg").write_text(plot.draw())
    performance = DOCS / "performance.md"
    performance.write_text(fill(performance.read_text(), page.TABLES))
    return 0
