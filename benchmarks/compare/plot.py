"""Bars for the cold starts, with and without .pyc files, from benchmarks/results.json."""

from benchmarks.compare.catalog import FLOORS, OURS, PEERS, Peer
from benchmarks.compare.results import Results
from docs.drawing import WIDTH, svg, text

TITLE = "Cold start to the first answer of GET /users/1"
SHOWN = {"lambda": ("On Lambda", "aws"), "run": ("On Cloud Run", "gcp")}
TOP, ROW, BAR, LEFT, HEAD = 56, 34, 12, 270, 44


def draw() -> str:
    results = Results.load()
    drawn = [
        text(20, 34, TITLE, 17, "ink", "700", "start"),
        *_key(540, "with .pyc files", "muted"),
        *_key(680, "without", "line"),
        text(WIDTH - 20, 34, "dashed: the floor; lines: 95 % intervals", 12, "muted", anchor="end"),
    ]
    y = TOP
    for platform, (title, color) in SHOWN.items():
        peers = [peer for peer in PEERS.values() if peer.platform == platform and peer.compiled]
        drawn.append(text(20, y + 26, title, 14, color, "600", "start"))
        drawn += _panel(results, peers, y + HEAD, color)
        y += HEAD + ROW * len(peers) + 10
    return svg(TITLE, y + 10, *drawn)


def _panel(results: Results, peers: list[Peer], top: int, color: str) -> list[str]:
    """A bar for each peer from the fastest to the slowest, and a thin one for it without .pyc files."""
    names = [name for peer in peers for name in (peer.name, peer.without_pyc().name) if results.has(name, "cold")]
    scale = (WIDTH - LEFT - 160) / max(results.median(name, "cold").high for name in names)
    floor = LEFT + scale * results.median(FLOORS[peers[0].platform], "cold").value
    bottom = top + ROW * len(peers) - 8
    drawn = [f'<path d="M{floor:.1f} {top - 6}V{bottom}" class="ink-line" stroke-dasharray="3 3"/>']
    for row, peer in enumerate(sorted(peers, key=lambda peer: results.median(peer.name, "cold").value)):
        y = top + ROW * row
        ours, slow = peer.group == OURS, peer.without_pyc().name
        title = peer.title.replace("**", "")
        drawn.append(text(LEFT - 14, y + 12, title, 13, "ink", "700" if ours else "400", "end"))
        drawn += _bar(results, peer.name, y, BAR, scale, "shared" if ours else color)
        if slow in names:
            drawn += _bar(results, slow, y + BAR + 2, BAR // 2, scale, "line")
    return drawn


def _bar(results: Results, name: str, y: int, height: int, scale: float, color: str) -> list[str]:
    cold = results.median(name, "cold")
    middle, end = y + height / 2, LEFT + scale * cold.high
    return [
        f'<rect x="{LEFT}" y="{y}" width="{scale * cold.value:.1f}" height="{height}" rx="3" class="{color}"/>',
        f'<path d="M{LEFT + scale * cold.low:.1f} {middle}H{end:.1f}" class="ink-line" stroke-width="1.5"/>',
        text(end + 8, middle + 4, f"{cold.value:,.0f} ms", 12 if height == BAR else 11, "muted", anchor="start"),
    ]


def _key(x: int, words: str, color: str) -> list[str]:
    return [
        f'<rect x="{x}" y="24" width="11" height="11" class="{color}"/>',
        text(x + 17, 34, words, 13, "ink", anchor="start"),
    ]
