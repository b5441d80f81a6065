"""Bars for the ways to read followers, from the table in docs/api.md that `make bench` prints."""

import re
from pathlib import Path

from docs.drawing import WIDTH, svg, text

TITLE = "The names of 100 followers, with upstreams that take 10 ms"
ROW, TOP, LEFT, BAR = 66, 76, 200, 20
LONGEST = WIDTH - LEFT - 110
MEASURED = re.compile(r"^\| `?([^|`]*followers[^|`]*)`? \| \d+ \| \d+ \| ([\d.]+) ms \| ([\d.]+) ms \|$", re.MULTILINE)


def draw() -> str:
    rows = [(way, float(dynamodb), float(firestore)) for way, dynamodb, firestore in MEASURED.findall(_page())]
    most = max(time for _, *times in rows for time in times)
    drawn = [text(20, 34, TITLE, 17, "ink", "700", "start")]
    for place, (color, name) in enumerate([("aws", "DynamoDB"), ("gcp", "Firestore")]):
        drawn.append(text(WIDTH - 20 - 90 * (1 - place), 34, name, 14, color, "600", "end"))
        for number, (_, *times) in enumerate(rows):
            y, length = TOP + ROW * number + BAR * place, LONGEST * times[place] / most
            drawn.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 3}" rx="3" class="{color}"/>')
            drawn.append(text(LEFT + length + 8, y + 13, f"{times[place]:,.0f} ms", 12, "muted", anchor="start"))
    drawn += [text(LEFT - 14, TOP + ROW * i + BAR + 3, way, 13, "ink", anchor="end") for i, (way, *_) in enumerate(rows)]
    return svg(TITLE, TOP + ROW * len(rows), *drawn)


def _page() -> str:
    return Path(__file__).with_name("api.md").read_text()
