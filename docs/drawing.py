"""What the pictures are drawn with. Each is an SVG 1080 wide that follows the reader's light or dark colour scheme."""

from dataclasses import dataclass
from html import escape

WIDTH = 1080
BOX_WIDTH, BOX_HEIGHT = 190, 62
PALETTE = {  # each colour on a light page and on a dark one
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2933", "#e6edf3"),
    "muted": ("#52606d", "#9aa5b1"),
    "line": ("#9aa5b1", "#7b8794"),
    "aws": ("#e07b00", "#ff9900"),
    "gcp": ("#3b78e7", "#6ea8fe"),
    "shared": ("#12a37f", "#25c19f"),
    "failed": ("#d1242f", "#ff6a63"),
}


@dataclass(frozen=True)
class Box:
    x: int
    y: int
    title: str
    note: str
    color: str
    width: int = BOX_WIDTH
    dashed: bool = False

    def draw(self) -> str:
        middle, dashes = self.x + self.width / 2, ' stroke-dasharray="6 4"' if self.dashed else ""
        return (
            f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{BOX_HEIGHT}" rx="10" '
            f'class="paper {self.color}-line" stroke-width="2"{dashes}/>'
            + text(middle, self.y + 27, self.title, 15, "ink", "600")
            + text(middle, self.y + 47, self.note, 12, "muted")
        )


def text(x: float, y: float, words: str, size: int, color: str, weight: str = "400", anchor: str = "middle") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" class="{color}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


def arrow(*points: tuple[int, int]) -> str:
    route = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{route}" fill="none" class="line-line" stroke-width="1.8" marker-end="url(#head)"/>'


def panel(x: int, y: int, width: int, height: int, title: str, note: str, color: str) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="16" class="{color} {color}-line" '
        'fill-opacity="0.06" stroke-opacity="0.5"/>'
        + text(x + 20, y + 30, title, 17, color, "700", "start")
        + text(x + width - 20, y + 30, note, 12, "muted", anchor="end")
    )


def svg(title: str, height: int, *parts: str) -> str:
    style = (
        "text{font-family:system-ui,'Segoe UI',Helvetica,Arial,sans-serif}"
        f"{_rules(0)}@media(prefers-color-scheme:dark){{{_rules(1)}}}"
    )
    head = (
        '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" class="line"/></marker></defs>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n{head}\n"
        f'<rect width="{WIDTH}" height="{height}" rx="16" class="paper"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _rules(scheme: int) -> str:
    colors = {name: shades[scheme] for name, shades in PALETTE.items()}
    return "".join(f".{name}{{fill:{color}}}.{name}-line{{stroke:{color}}}" for name, color in colors.items())
