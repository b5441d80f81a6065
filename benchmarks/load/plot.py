"""The picture of a load: p50 and p99 over time of APIs and upstreams, as the app's metric lines have them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.summary import BUCKET
from docs.drawing import WIDTH, svg, text
from docs.raw import dump

DATA, PICTURE = "load.json", "load.svg"
DEPTH = 4  # a line for each series
DOCS = Path(__file__).parents[2] / "docs"
LEFT, GAP, RIGHT, TOP, HEIGHT, ROW = 64, 76, 24, 104, 150, 204
TITLES = {"aws": "AWS", "gcp": "Google Cloud"}
CACHED = ("GET:/cached-followers", "momento")

type Series = Mapping[str, list[tuple[int, float, float]]]


def store(result: Mapping[str, Any], folder: Path) -> None:
    """Write the raw numbers and the picture."""
    (folder / DATA).write_text(dump(result, DEPTH) + "\n")
    (folder / PICTURE).write_text(picture(result))


def draw() -> str:
    return picture(json.loads((DOCS / DATA).read_text()))


def picture(result: Mapping[str, Any]) -> str:
    of_targets: dict[str, Series] = {name: target["series"] for name, target in result["targets"].items()}
    title = f"{result['rate']:g} requests a second to each, for {result['seconds']} s"
    panel = (WIDTH - LEFT - RIGHT - GAP * (len(of_targets) - 1)) / len(of_targets)
    drawn = [text(20, 34, title, 17, "ink", "700", "start")]
    for column, (target, series) in enumerate(of_targets.items()):
        x = LEFT + column * (panel + GAP)
        drawn.append(text(x, 66, TITLES.get(target, target), 15, "ink", "600", "start"))
        drawn.append(text(x + panel, 66, _injected(series, result["delays"]), 13, "muted", anchor="end"))
        drawn += _legend(x, TOP + 2 * ROW + 18, panel, series)
        for row, percentile in enumerate(("p50", "p99")):
            times = (point[1 + row] for one in of_targets.values() for points in one.values() for point in points)
            axes = Axes(x, TOP + row * ROW, panel, result["seconds"], max(times, default=1))
            drawn += axes.draw(percentile)
            drawn += [
                axes.line([(at, values[row]) for at, *values in points], *_style(name, series))
                for name, points in series.items()
            ]
    return svg(title, TOP + 2 * ROW + 36, *drawn)


@dataclass(frozen=True)
class Axes:
    """Of a panel whose upper left corner is (x, y): `seconds` to the right, times up to `highest` ms upwards."""

    x: float
    y: float
    width: float
    seconds: int
    highest: float

    def draw(self, title: str) -> list[str]:
        bottom = self.y + HEIGHT
        marks = range(0, self.seconds + 1, 10 * (1 + self.seconds // 60))
        return [
            *(f'<path d="M{self.x:g} {y:g}h{self.width:g}" class="line-line"/>' for y in (self.y, bottom)),
            text(self.x + 4, self.y - 6, title, 13, "ink", "600", "start"),
            text(self.x - 8, self.y + 4, f"{self.highest:,.0f} ms", 11, "muted", anchor="end"),
            text(self.x - 8, bottom + 4, "0", 11, "muted", anchor="end"),
            *(text(self._right(at), bottom + 16, f"{at} s", 11, "muted") for at in marks),
        ]

    def line(self, points: Iterable[tuple[int, float]], color: str, dashes: str) -> str:
        """Each point is in the middle of its bucket."""
        places = ((self._right(at + BUCKET / 2), self.y + HEIGHT * (1 - time / self.highest)) for at, time in points)
        route = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        return f'<polyline points="{route}" fill="none" class="{color}-line" stroke-width="2.2"{dashes}/>'

    def _right(self, seconds: float) -> float:
        return self.x + self.width * min(1, seconds / self.seconds)


def _legend(x: float, y: float, width: float, series: Series) -> list[str]:
    drawn: list[str] = []
    for number, name in enumerate(series):
        left, (color, dashes) = x + number * width / len(series), _style(name, series)
        drawn.append(f'<path d="M{left:.1f} {y - 4:g}h22" class="{color}-line" stroke-width="2.2"{dashes}/>')
        drawn.append(text(left + 28, y, name, 12, "ink", anchor="start"))
    return drawn


def _injected(series: Series, delays: Mapping[str, int]) -> str:
    found = ", ".join(f"{name} {milliseconds} ms" for name, milliseconds in delays.items() if name in series)
    return f"injected: {found}" if found else "no injected delay"


def _style(name: str, series: Series) -> tuple[str, str]:
    """The color of the cache or of the cloud; upstreams are dashed."""
    color = "shared" if name in CACHED else "aws" if "dynamodb" in series else "gcp"
    return color, "" if name.startswith("GET:") else ' stroke-dasharray="5 4"'
