"""`python -m docs` draws every picture of the docs, and fills the tables of costs.md."""

from pathlib import Path

from docs import architecture, delivery, local, round_trips
from docs.costs import page
from rehearsal import plot

PICTURES = {
    "architecture": architecture.draw,
    "delivery": delivery.draw,
    "local": local.draw,
    "rehearsal": plot.draw,
    "round_trips": round_trips.draw,
}

if __name__ == "__main__":
    for name, draw in PICTURES.items():
        Path(__file__).with_name(f"{name}.svg").write_text(draw())
    costs = Path(__file__).with_name("costs.md")
    costs.write_text(page.fill(costs.read_text()))
