"""Bars in the style of docs/architecture.svg."""

from collections.abc import Sequence

from docs.architecture import AWS, GCP, INK, MUTED, PAPER, text

WIDTH, ROW, TOP, LEFT, BAR = 1080, 66, 76, 200, 20
LONGEST = WIDTH - LEFT - 110


def plot(title: str, rows: Sequence[tuple[str, tuple[float, float]]]) -> str:
    """An SVG with two bars a row: times in ms on DynamoDB and on Firestore."""
    most = max(time for _, times in rows for time in times)
    drawn = [text(20, 34, title, 17, INK, "700", "start")]
    for place, (color, name) in enumerate([(AWS, "DynamoDB"), (GCP, "Firestore")]):
        drawn.append(text(WIDTH - 20 - 90 * (1 - place), 34, name, 14, color, "600", "end"))
        for number, (_, times) in enumerate(rows):
            y, length = TOP + ROW * number + BAR * place, LONGEST * times[place] / most
            drawn.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 3}" rx="3" fill="{color}"/>')
            drawn.append(text(LEFT + length + 8, y + 13, f"{times[place]:,.0f} ms", 12, MUTED, anchor="start"))
    drawn += [text(LEFT - 14, TOP + ROW * i + BAR + 3, way, 13, INK, anchor="end") for i, (way, _) in enumerate(rows)]
    height, body = TOP + ROW * len(rows), "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f'<title>{title}</title>\n<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>\n{body}\n</svg>\n'
    )
