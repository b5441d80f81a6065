"""Bars for the ways to read followers, from the table in docs/api.md that `make bench` prints."""

import re
from pathlib import Path

from docs.drawing import WIDTH, svg, text

TITLE = "The names of 100 followers, with upstreams that take 10 ms"
ROW, TOP, LEFT, BAR = 66, 76, 200, 20
MEASURED = re.compile(r"^\| `?([^|`]*followers[^|`]*)`? \| \d+ \| \d+ \| ([\d.]+) ms \| ([\d.]+) ms \|$", re.MULTILINE)


def draw() -> str:
    rows = [(way, float(dynamodb), float(firestore)) for way, dynamodb, firestore in MEASURED.findall(_page())]
    longest = (WIDTH - LEFT - 110) / max(time for _, *times in rows for time in times)
    drawn = [
        text(20, 34, TITLE, 17, "ink", "700", "start"),
        text(WIDTH - 110, 34, "DynamoDB", 14, "aws", "600", "end"),
        text(WIDTH - 20, 34, "Firestore", 14, "gcp", "600", "end"),
    ]
    for number, (way, *times) in enumerate(rows):
        top = TOP + ROW * number
        drawn.append(text(LEFT - 14, top + BAR + 3, way, 13, "ink", anchor="end"))
        for y, color, time in zip((top, top + BAR), ("aws", "gcp"), times, strict=True):
            length = longest * time
            drawn.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 3}" rx="3" class="{color}"/>')
            drawn.append(text(LEFT + length + 8, y + 13, f"{time:,.0f} ms", 12, "muted", anchor="start"))
    return svg(TITLE, TOP + ROW * len(rows), *drawn)


def _page() -> str:
    return Path(__file__).with_name("api.md").read_text()
