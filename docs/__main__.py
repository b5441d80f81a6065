"""`python -m docs` draws every picture of the docs, and fills the tables of the pages in TABLES."""

from pathlib import Path

from benchmarks.compare import page as performance
from benchmarks.compare import plot as cold_starts
from docs import architecture, delivery, deployer, local, round_trips
from docs.costs import page
from docs.tables import fill
from rehearsal import plot

PICTURES = {
    "architecture": architecture.draw,
    "delivery": delivery.draw,
    "local": local.draw,
    "performance": cold_starts.draw,
    "rehearsal": plot.draw,
    "round_trips": round_trips.draw,
}
TABLES = {"costs": page.TABLES, "deployer": deployer.TABLES, "performance": performance.TABLES}

if __name__ == "__main__":
    for name, draw in PICTURES.items():
        Path(__file__).with_name(f"{name}.svg").write_text(draw())
    for name, tables in TABLES.items():
        path = Path(__file__).with_name(f"{name}.md")
        path.write_text(fill(path.read_text(), tables))
