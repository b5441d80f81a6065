"""What a request costs as followers and concurrency grow, from growth.json that `make bench` renews."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docs.drawing import WIDTH, svg, text
from docs.tables import table

DATA = Path(__file__).with_name("growth.json")
STORES = {"dynamodb": "DynamoDB", "firestore": "Firestore"}
COLORS = {"dynamodb": "aws", "firestore": "gcp"}
DASHES = {
    "/followers": "",
    "/cached-followers": ' stroke-dasharray="7 4"',
    "/cached-followers, miss": ' stroke-dasharray="2 3"',
}
HUNDRED = (("one by one", 100), ("/followers", 100), ("/cached-followers", 100))
FLOOR = tuple((route, 1) for route in ("/users", "/cached-users", "/profile-pic", "/cached-profile-pic"))
ROUTES = (*(route for route, _ in FLOOR), *DASHES, "one by one")
TOP, LEFT, GAP, HEIGHT = 92, 60, 70, 210
PANEL = (WIDTH - LEFT - 24 - 2 * GAP) / 3

type Costs = dict[tuple[str, int], dict[str, Any]]
type Line = tuple[str, str, Sequence[float]]
"""A color, dashes, and a value for each place on the x axis."""


def costs() -> dict[str, Costs]:
    """By store, then by route and followers."""
    measured = json.loads(DATA.read_text())
    return {store: {(one["route"], one["followers"]): one for one in measured[store]["costs"]} for store in STORES}


def draw() -> str:
    measured, by_cost = json.loads(DATA.read_text()), costs()
    sizes = sorted({followers for _, followers in by_cost["dynamodb"]})
    clients = sorted({one["clients"] for one in measured["dynamodb"]["concurrent"]})

    def of_costs(field: str, divisor: int = 1) -> list[Line]:
        return [
            (COLORS[store], dashes, [by_cost[store][route, size][field] / divisor for size in sizes])
            for store in STORES
            for route, dashes in DASHES.items()
        ]

    concurrent = [
        (COLORS[store], dashes, [one["p50"] for one in measured[store]["concurrent"] if one["route"] == route])
        for store in STORES
        for route, dashes in list(DASHES.items())[:2]
    ]
    title = f"A request's cost, with upstreams that take {measured['delay']} ms more"
    return svg(
        title,
        TOP + HEIGHT + 66,
        text(20, 34, title, 17, "ink", "700", "start"),
        *Panel(0, "ms, by followers", sizes, of_costs("milliseconds")).draw(),
        *Panel(1, "KB to and from upstreams, by followers", sizes, of_costs("bytes", 1000)).draw(),
        *Panel(2, "ms (p50), by requests at the same time", clients, concurrent).draw(),
        *_legend(),
    )


@dataclass(frozen=True)
class Panel:
    """The `column`-th of three. Values are on a logarithmic scale."""

    column: int
    title: str
    places: Sequence[int]
    lines: Sequence[Line]

    def draw(self) -> Iterator[str]:
        left, bottom = LEFT + self.column * (PANEL + GAP), TOP + HEIGHT
        values = [value for *_, values in self.lines for value in values]
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        step = PANEL / (len(self.places) - 1)

        def y(value: float) -> float:
            return bottom - HEIGHT * (math.log10(value) - low) / (high - low)

        yield text(left, TOP - 18, self.title, 13, "ink", "600", "start")
        for power in range(low, high + 1):
            yield f'<path d="M{left:.1f} {y(10**power):.1f}h{PANEL:.1f}" class="line-line" stroke-width="0.5"/>'
            yield text(left - 8, y(10**power) + 4, f"{10**power:g}", 11, "muted", anchor="end")
        for number, place in enumerate(self.places):
            yield text(left + number * step, bottom + 16, f"{place:,}", 11, "muted")
        for color, dashes, values in self.lines:
            route = " ".join(f"{left + number * step:.1f},{y(value):.1f}" for number, value in enumerate(values))
            yield f'<polyline points="{route}" fill="none" class="{color}-line" stroke-width="2"{dashes}/>'


def _legend() -> Iterator[str]:
    y = TOP + HEIGHT + 48
    for number, (store, color) in enumerate(COLORS.items()):
        yield f'<rect x="{LEFT + 120 * number}" y="{y - 10}" width="11" height="11" class="{color}"/>'
        yield text(LEFT + 17 + 120 * number, y, STORES[store], 13, "ink", anchor="start")
    for number, (route, dashes) in enumerate(DASHES.items()):
        x = LEFT + 300 + 210 * number
        yield f'<path d="M{x} {y - 4}h30" class="ink-line" stroke-width="2"{dashes}/>'
        yield text(x + 38, y, _outcome(route), 13, "ink", anchor="start")


def round_trips() -> str:
    """The table of docs/api.md."""
    by_cost = costs()
    rows = [
        (
            "followers one by one" if route == "one by one" else f"`{route}/1`",
            *(by_cost["dynamodb"][route, size][upstream] for upstream in ("store", "cache")),
            *(f"{by_cost[store][route, size]['milliseconds']:,.1f} ms" for store in STORES),
        )
        for route, size in (*HUNDRED, *FLOOR)
    ]
    return table(["", "round trips to the store", "to the cache", "on DynamoDB", "on Firestore"], rows)


def by_followers() -> str:
    by_cost = costs()
    header = [
        "",
        "followers",
        "calls of DynamoDB",
        "Firestore",
        "Momento",
        "KB, DynamoDB",
        "Firestore",
        "ms, DynamoDB",
        "Firestore",
    ]
    rows = [
        (
            _outcome(route),
            size,
            *(by_cost[store][route, size]["store"] for store in STORES),
            by_cost["dynamodb"][route, size]["cache"],
            *(by_cost[store][route, size]["bytes"] / 1000 for store in STORES),
            *(by_cost[store][route, size]["milliseconds"] for store in STORES),
        )
        for route, size in sorted(by_cost["dynamodb"], key=lambda cost: (ROUTES.index(cost[0]), cost[1]))
    ]
    return table(header, rows)


def by_concurrency() -> str:
    measured = json.loads(DATA.read_text())
    found = {(store, one["route"], one["clients"]): one for store in STORES for one in measured[store]["concurrent"]}
    routes = list(dict.fromkeys(route for _, route, _ in found))
    rows = [
        (str(clients), *(_time(found[store, route, clients]) for route in routes for store in STORES))
        for clients in sorted({clients for *_, clients in found})
    ]
    return table(["at the same time", *(f"`{route}`, {name}" for route in routes for name in STORES.values())], rows)


def _time(one: dict[str, Any]) -> str:
    return f"{one['p50']:.0f} ms, {one['rate']:.0f}/s"


def _outcome(route: str) -> str:
    return "/cached-followers, hit" if route == "/cached-followers" else route


API = {"round trips": round_trips}
PERFORMANCE = {"by followers": by_followers, "by concurrency": by_concurrency}
