"""`python -m docs` draws every picture of the docs, and fills the tables that are computed."""

from pathlib import Path

from benchmarks.compare import page as performance
from benchmarks.compare import plot as cold_starts
from benchmarks.load import delays
from benchmarks.load import plot as load
from docs import architecture, delivery, deployer, growth, local, round_trips
from docs.costs import page
from docs.tables import fill
from rehearsal import plot

PICTURES = {
    "architecture": architecture.draw,
    "delivery": delivery.draw,
    "growth": growth.draw,
    "load": load.draw,
    "local": local.draw,
    "performance": cold_starts.draw,
    "rehearsal": plot.draw,
    "round_trips": round_trips.draw,
}
TABLES = {
    "costs": page.TABLES,
    "deployer": deployer.TABLES,
    "api": growth.API,
    "performance": performance.TABLES | growth.PERFORMANCE | delays.TABLES,
}

if __name__ == "__main__":
    for name, draw in PICTURES.items():
        Path(__file__).with_name(f"{name}.svg").write_text(draw())
    for name, tables in TABLES.items():
        path = Path(__file__).with_name(f"{name}.md")
        path.write_text(fill(path.read_text(), tables))
