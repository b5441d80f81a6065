"""The picture of docs/delivery.md: the steps of a promotion, and the ways back."""

from itertools import pairwise

from docs.drawing import BOX_HEIGHT, WIDTH, Box, arrow, panel, svg, text

TITLE = "A promotion: the same bytes, verified at 0 %, judged at every step, and rolled back by itself"
STEPS = (("0 %", "verify: smoke transcript"), ("10 %", "judge, ten times"), ("50 %", "judge, ten times"))
TOP, LEFT = 112, 230
WIDE, GAP = 176, 28


def draw() -> str:
    middle = TOP + BOX_HEIGHT // 2
    source = Box(20, TOP, "FROM", "runs sha256:…", "shared", WIDE)
    done = Box(LEFT + 20 + 3 * (WIDE + GAP), TOP, "100 %", "the new stable revision", "shared", WIDE)
    steps = [
        Box(LEFT + 20 + number * (WIDE + GAP), TOP, share, note, "aws" if number else "gcp", WIDE)
        for number, (share, note) in enumerate(STEPS)
    ]
    boxes = [source, *steps, done]
    below = TOP + BOX_HEIGHT + 84
    stable = Box(steps[1].x, below, "stable revision", "gets everything back", "shared", WIDE)
    forward = [arrow((left.x + WIDE, middle), (right.x, middle)) for left, right in pairwise(boxes)]
    back = [
        arrow((step.x + WIDE // 2, TOP + BOX_HEIGHT), (step.x + WIDE // 2, below + 20), (edge, below + 20))
        if step is not steps[1]
        else arrow((step.x + WIDE // 2, TOP + BOX_HEIGHT), (step.x + WIDE // 2, below))
        for step, edge in zip(steps, (stable.x, 0, stable.x + WIDE), strict=True)
    ]
    return svg(
        TITLE,
        below + BOX_HEIGHT + 66,
        text(20, 34, "make promote FROM=aws TO=aws-prod", 17, "ink", "700", "start"),
        panel(
            LEFT,
            56,
            WIDTH - LEFT - 20,
            below + BOX_HEIGHT - 30,
            "TO",
            "state in the stack's outputs: any computer goes on, or undoes it",
            "aws",
        ),
        *forward,
        *back,
        *(box.draw() for box in (*boxes, stable)),
        text(20 + WIDE / 2, TOP - 14, "outputs = /health/live", 12, "muted"),
        text(20 + WIDE / 2, TOP + BOX_HEIGHT + 22, "the archive, by digest", 12, "muted"),
        text(steps[0].x + WIDE / 2 + 8, below - 22, "a check is wrong", 12, "muted", anchor="start"),
        text(steps[1].x + WIDE / 2 + 8, below - 22, "failed", 12, "muted", anchor="start"),
        text(steps[2].x + WIDE / 2 + 8, below - 22, "failed", 12, "muted", anchor="start"),
    )
