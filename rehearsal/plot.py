"""A picture of scenes: requests over time by who answered, with the steps and the judgements."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docs.drawing import WIDTH, svg, text
from rehearsal.scene import Scene

DATA = Path(__file__).parents[1] / "docs" / "rehearsal.json"
TITLE = "Promotions under traffic"
LEFT, RIGHT, TOP, HEIGHT, PANEL = 56, 20, 60, 120, 214
COLORS = {"failed": "failed", "new": "shared", "old": "line"}  # from the bottom up
LEGEND = ((590, "old revision", "line"), (710, "new revision", "shared"), (835, "failed", "failed"))
VERDICTS = {"successful": "shared", "failed": "failed", "inconclusive": "line", "error": "ink"}


def counts(scene: Scene) -> dict[str, Any]:
    """What is drawn of a scene: times in seconds since its first request, and counts for each second."""
    begin = min(request.at for request in scene.requests)
    counted = {name: Counter[int]() for name in ("old", "new", "failed")}
    for request in scene.requests:
        kind = "failed" if request.failed else "new" if request.build == scene.build else "old"
        counted[kind][int(request.at - begin)] += 1
    seconds = range(1 + max(max(kind, default=0) for kind in counted.values()))
    return {
        "outcome": scene.outcome,
        "moves": [[round(at - begin, 1), percent] for at, percent in scene.moves],
        "verdicts": [[round(step["at"] - begin, 1), step["verdict"]] for step in scene.result["steps"]],
        **{name: [kind[second] for second in seconds] for name, kind in counted.items()},
    }


def store(scenes: Mapping[str, Scene]) -> None:
    """Renew the numbers that `make docs` draws, by the title of the scene."""
    lines = (
        f"{json.dumps(title)}: {{\n  "
        + ",\n  ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in counts(scene).items())
        + "\n}"
        for title, scene in scenes.items()
    )
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def draw() -> str:
    scenes: dict[str, Any] = json.loads(DATA.read_text())
    panels = [part for row, (title, scene) in enumerate(scenes.items()) for part in _panel(title, scene, PANEL * row)]
    return svg(TITLE, TOP + PANEL * len(scenes), *_legend(), *panels)


def _legend() -> list[str]:
    drawn = [text(20, 34, TITLE, 17, "ink", "700", "start")]
    for x, words, color in LEGEND:
        drawn.append(f'<rect x="{x}" y="24" width="11" height="11" class="{color}"/>')
        drawn.append(text(x + 17, 34, words, 13, "ink", anchor="start"))
    return [*drawn, text(WIDTH - RIGHT, 34, "dots are judgements", 13, "muted", anchor="end")]


def _panel(title: str, scene: dict[str, Any], y: int) -> list[str]:
    """Requests in each second by who answered; above them the judgements as dots, and where the share changes."""
    stacks = list(zip(*(scene[kind] for kind in COLORS), strict=True))
    second = (WIDTH - LEFT - RIGHT) / len(stacks)
    request = HEIGHT / max(map(sum, stacks))
    bottom = y + TOP + 54 + HEIGHT

    def x(seconds: float) -> float:
        return LEFT + second * seconds

    drawn = [text(20, y + TOP + 4, title, 14, "ink", "600", "start")]
    for layer, color in enumerate(COLORS.values()):
        bars = "".join(
            f"M{x(number):.1f} {bottom - sum(stack[:layer]) * request:.1f}h{second - 0.6:.1f}"
            f"v{-stack[layer] * request:.1f}h{0.6 - second:.1f}z"
            for number, stack in enumerate(stacks)
            if stack[layer]
        )
        drawn.append(f'<path d="{bars}" class="{color}"/>')
    for at, percent in scene["moves"]:
        words = f"{percent} %" if percent or at == scene["moves"][0][0] else "rolled back"
        line = f'<path d="M{x(at):.1f} {bottom}V{y + TOP + 36}" class="ink-line" stroke-dasharray="3 3"/>'
        drawn += [line, text(x(at), y + TOP + 30, words, 12, "ink")]
    drawn += [
        f'<circle cx="{x(at):.1f}" cy="{y + TOP + 44}" r="3.5" class="{VERDICTS[verdict]}"/>'
        for at, verdict in scene["verdicts"]
    ]
    marks = range(0, len(stacks), 10 * (1 + len(stacks) // 150))
    drawn += [text(x(at), bottom + 16, f"{at} s", 11, "muted") for at in marks]
    drawn.append(text(LEFT - 8, bottom - HEIGHT + 10, f"{max(map(sum, stacks))}/s", 11, "muted", anchor="end"))
    return drawn
