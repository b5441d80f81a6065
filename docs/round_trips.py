"""Bars for the ways to read followers, from growth.json that `make bench` renews."""

from docs.drawing import WIDTH, svg, text
from docs.growth import HUNDRED, STORES, costs

TITLE = "The names of 100 followers, with upstreams that take 10 ms more"
ROW, TOP, LEFT, BAR = 66, 76, 200, 20


def draw() -> str:
    by_store = costs()
    rows = [(way, [by_store[store][way, size]["milliseconds"] for store in STORES]) for way, size in HUNDRED]
    longest = (WIDTH - LEFT - 110) / max(time for _, times in rows for time in times)
    drawn = [
        text(20, 34, TITLE, 17, "ink", "700", "start"),
        text(WIDTH - 110, 34, "DynamoDB", 14, "aws", "600", "end"),
        text(WIDTH - 20, 34, "Firestore", 14, "gcp", "600", "end"),
    ]
    for number, (way, times) in enumerate(rows):
        top = TOP + ROW * number
        drawn.append(text(LEFT - 14, top + BAR + 3, way, 13, "ink", anchor="end"))
        for y, color, time in zip((top, top + BAR), ("aws", "gcp"), times, strict=True):
            length = longest * time
            drawn.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 3}" rx="3" class="{color}"/>')
            drawn.append(text(LEFT + length + 8, y + 13, f"{time:,.0f} ms", 12, "muted", anchor="start"))
    return svg(TITLE, TOP + ROW * len(rows), *drawn)
