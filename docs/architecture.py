"""Draws docs/architecture.svg: `python docs/architecture.py`."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 1080, 550
BOX_WIDTH, BOX_HEIGHT = 190, 62
INK, MUTED, PAPER, LINE = "#1f2933", "#616e7c", "#ffffff", "#9aa5b1"
AWS, GCP, SHARED = "#ff9900", "#4285f4", "#25c19f"
FONT = "font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\""


@dataclass(frozen=True)
class Box:
    x: int
    y: int
    title: str
    note: str
    color: str

    def draw(self) -> str:
        middle = self.x + BOX_WIDTH / 2
        return (
            f'<rect x="{self.x}" y="{self.y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="10" fill="{PAPER}" '
            f'stroke="{self.color}" stroke-width="2"/>'
            + text(middle, self.y + 27, self.title, 15, INK, "600")
            + text(middle, self.y + 47, self.note, 12, MUTED)
        )


def text(x: float, y: float, words: str, size: int, color: str, weight: str = "400", anchor: str = "middle") -> str:
    return (
        f'<text x="{x}" y="{y}" {FONT} font-size="{size}" font-weight="{weight}" fill="{color}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


def arrow(*points: tuple[int, int]) -> str:
    route = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{route}" fill="none" stroke="{LINE}" stroke-width="1.8" marker-end="url(#head)"/>'


def panel(x: int, title: str, command: str, color: str) -> str:
    return (
        f'<rect x="{x}" y="96" width="330" height="432" rx="16" fill="{color}" fill-opacity="0.06" stroke="{color}" '
        f'stroke-opacity="0.5"/>'
        + text(x + 20, 126, title, 17, color, "700", "start")
        + text(x + 310, 126, command, 12, MUTED, anchor="end")
    )


def boxes() -> list[Box]:
    left, right, middle = 100, 790, 445
    return [
        Box(middle, 18, "Client", "sees the same API twice", INK),
        Box(left, 148, "API Gateway", "HTTP API, $default stage", AWS),
        Box(left, 250, "Lambda", "version behind alias live", AWS),
        Box(left, 434, "DynamoDB", "table, on demand, PITR", AWS),
        Box(right, 148, "Cloud Run", "public URL", GCP),
        Box(right, 250, "Revision", "gunicorn on python313", GCP),
        Box(right, 434, "Firestore", "native mode database", GCP),
        Box(middle, 250, "One artifact", "Flask app, one sha256", SHARED),
        Box(middle, 434, "Momento Cache", "one for each stack", SHARED),
    ]


def arrows() -> list[str]:
    return [
        arrow((445, 49), (195, 49), (195, 146)),
        arrow((635, 49), (885, 49), (885, 146)),
        arrow((195, 210), (195, 248)),
        arrow((885, 210), (885, 248)),
        arrow((195, 312), (195, 432)),
        arrow((885, 312), (885, 432)),
        arrow((270, 312), (270, 376), (485, 376), (485, 432)),
        arrow((810, 312), (810, 376), (595, 376), (595, 432)),
        arrow((445, 281), (292, 281)),
        arrow((635, 281), (788, 281)),
        text(402, 271, "app.zip", 12, MUTED),
        text(678, 271, "app.tar.gz", 12, MUTED),
        text(186, 348, "DataClient", 12, INK, anchor="end"),
        text(186, 366, "dynamodb.py", 12, MUTED, anchor="end"),
        text(894, 348, "DataClient", 12, INK, anchor="start"),
        text(894, 366, "firestore.py", 12, MUTED, anchor="start"),
        text(540, 396, "Cache", 12, INK),
        text(540, 414, "momento.py", 12, MUTED),
    ]


def main() -> None:
    head = (
        '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="{LINE}"/></marker></defs>'
    )
    panels = [panel(30, "AWS", "pulumi up -s aws", AWS), panel(720, "Google Cloud", "pulumi up -s gcp", GCP)]
    body = "\n".join([head, *panels, *arrows(), *(box.draw() for box in boxes())])
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n'
        f"<title>One Flask app on AWS and Google Cloud</title>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>\n{body}\n</svg>\n'
    )
    Path(__file__).with_suffix(".svg").write_text(svg)


if __name__ == "__main__":
    main()
