"""The bill of a stack: its resources, as its snapshot has them, times a month's use."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from docs.costs import aws, gcp
from docs.costs.month import BUSY, IDLE, Usage
from docs.costs.prices import PRICES, Line
from docs.costs.resources import UNPRICED

SNAPSHOTS = Path(__file__).parents[2] / "tests" / "stacks" / "snapshots"
BILLED = aws.BILLED | gcp.BILLED

type Snapshot = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Column:
    """A stack as its snapshot has it, and how it is used."""

    stack: str
    use: str
    usage: Usage

    @property
    def title(self) -> str:
        return f"`{self.stack}`, {self.use}"

    def cells(self) -> dict[str, str]:
        """The texts of the rows."""
        resources = snapshot(self.stack)
        billed = [*lines(resources, self.usage)]
        usd = dollars(billed)
        unpriced = dict(place for kind, place in UNPRICED.items() if kind in kinds(resources))
        totals = {"total": sum(usd.values()), "after free tiers": after_free_tiers(billed)}
        return unpriced | {row: f"{amount:,.2f}" for row, amount in (usd | totals).items()}


COLUMNS = (
    Column("aws", "idle", IDLE),
    Column("aws-prod", "idle", IDLE),
    Column("aws-prod", "busy", BUSY),
    Column("gcp", "idle", IDLE),
    Column("gcp-prod", "idle", IDLE),
    Column("gcp-prod", "busy", BUSY),
)


def snapshot(stack: str) -> Snapshot:
    """The inputs of a stack's resources, by `type::name`."""
    return json.loads((SNAPSHOTS / f"{stack}.json").read_text())


def kinds(resources: Snapshot) -> set[str]:
    """The types of the resources."""
    return {resource.split("::")[0] for resource in resources}


def lines(resources: Snapshot, usage: Usage) -> Iterator[Line]:
    """What the resources are billed for."""
    services = [inputs for resource, inputs in resources.items() if resource.startswith("gcp:cloudrunv2/service:")]
    usage = replace(usage, probed=any(service["scaling"]["minInstanceCount"] for service in services))
    for resource, inputs in resources.items():
        kind, name = resource.split("::")
        if kind in BILLED:
            yield from BILLED[kind](name, inputs, usage)


def dollars(billed: Iterable[Line]) -> dict[str, float]:
    """US dollars by row, in whole cents, so that the rows of the table add up to its total."""
    rows = defaultdict[str, float](float)
    for row, price, units in billed:
        rows[row] += PRICES[price].cost(units)
    return {row: round(usd, 2) for row, usd in rows.items()}


def after_free_tiers(billed: Iterable[Line]) -> float:
    """US dollars if no other stack uses the free tiers of the account."""
    units = defaultdict[str, float](float)
    for line in billed:
        units[line.price] += line.units
    return sum(PRICES[price].cost(max(0, amount - PRICES[price].free)) for price, amount in units.items())
