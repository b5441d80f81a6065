"""docs/costs.md: its tables leave no resource out and add up; the prices give the clouds' own examples."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from docs.costs import page
from docs.costs.bill import BILLED, COLUMNS, after_free_tiers, dollars, kinds, lines, snapshot
from docs.costs.month import BUSY, ROUTES, read_units, write_units
from docs.costs.prices import PRICES, Line
from docs.costs.resources import UNBILLED, UNPRICED
from tests.stacks.deployment import ROOT
from tests.stacks.test_snapshots import STACKS

RESOURCES = {stack: snapshot(stack) for stack in STACKS}


def busy(resources: Mapping[str, Mapping[str, Any]]) -> float:
    return sum(PRICES[price].cost(units) for _, price, units in lines(resources, BUSY))


@pytest.mark.parametrize("kind", sorted(set[str]().union(*map(kinds, RESOURCES.values()), BILLED, UNPRICED, UNBILLED)))
def test_a_type_is_either_billed_or_listed_as_not(kind: str) -> None:
    assert any(kind in kinds(resources) for resources in RESOURCES.values()), "no stack has it any more"
    assert (kind in BILLED) + (kind in UNPRICED) + (kind in UNBILLED) == 1, (
        f"{kind} belongs into one of docs/costs/aws.py, gcp.py and resources.py"
    )


@pytest.mark.parametrize(
    ("stack", "resource"),
    [(stack, resource) for stack in STACKS for resource in RESOURCES[stack] if resource.split("::")[0] in BILLED],
)
def test_every_billed_resource_is_counted(stack: str, resource: str) -> None:
    others = {name: inputs for name, inputs in RESOURCES[stack].items() if name != resource}
    assert busy(others) < busy(RESOURCES[stack])


CONTAINER = ("template", "containers", 0, "resources")


@pytest.mark.parametrize(
    ("stack", "resource", "path", "dearer", "cheaper"),
    [
        ("aws-prod", "aws:lambda/function:Function::api", ("memorySize",), 2048, 512),
        ("aws-prod", "aws:lambda/function:Function::api", ("snapStart", "applyOn"), "PublishedVersions", "None"),
        ("aws-prod", "aws:lambda/function:Function::api", ("tracingConfig", "mode"), "Active", "PassThrough"),
        ("aws-prod", "aws:dynamodb/table:Table::users", ("pointInTimeRecovery", "enabled"), True, False),
        ("aws-prod", "aws:cloudwatch/logGroup:LogGroup::function", ("retentionInDays",), 365, 1),
        ("gcp-prod", "gcp:cloudrunv2/service:Service::api", (*CONTAINER, "limits", "cpu"), "2", "1"),
        ("gcp-prod", "gcp:cloudrunv2/service:Service::api", (*CONTAINER, "limits", "memory"), "1Gi", "512Mi"),
        ("gcp-prod", "gcp:cloudrunv2/service:Service::api", (*CONTAINER, "startupCpuBoost"), True, False),
        ("gcp-prod", "gcp:cloudrunv2/service:Service::api", ("scaling", "minInstanceCount"), 2, 1),
        ("gcp-prod", "gcp:firestore/backupSchedule:BackupSchedule::users", ("retention",), "3024000s", "86400s"),
        ("gcp-prod", "gcp:logging/projectBucketConfig:ProjectBucketConfig::logs", ("retentionDays",), 365, 60),
        ("gcp-prod", "gcp:logging/metric:Metric::ProcessingTime", ("labelExtractors",), {"API": ""}, {}),
    ],
)
def test_an_input_moves_the_bill(
    stack: str, resource: str, path: tuple[str | int, ...], dearer: object, cheaper: object
) -> None:
    def cost(value: object) -> float:
        resources = deepcopy(dict(RESOURCES[stack]))
        place: Any = resources[resource]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        return busy(resources)

    assert cost(dearer) > cost(cheaper)


def test_the_table_of_pictures_is_billed_for_what_they_take() -> None:
    """1.1 million reads of 13 units, 160,000 writes and 50,000 deletes of 100 units, 50,000 deletes of 2; 2.39 GB."""
    table = RESOURCES["aws-prod"]["aws:dynamodb/table:Table::users"]
    rows = dollars(lines({"aws:dynamodb/table:Table::pictures": table}, BUSY))
    assert rows == {"pictures": round(14.3 * 0.125 + 21.1 * 0.625 + 2.389 * 0.25, 2), "recovery": 0.48}


@pytest.mark.parametrize("number", range(len(COLUMNS)))
def test_the_rows_add_up_to_the_total(number: int) -> None:
    rows = [re.findall(r"(?<=\| )[^|]*(?=\|)", line) for line in page.bill().splitlines()]
    *parts, total, after = [row[number + 1].strip().replace(",", "") for row in rows[2:]]
    cents = [round(float(part) * 100) for part in parts if part not in ("", "free", "ask")]
    assert sum(cents) == round(float(total) * 100) > 0
    assert float(after) <= float(total)


def test_a_busy_stack_costs_more_than_an_idle_one() -> None:
    totals = {(column.stack, column.use): float(column.cells()["total"]) for column in COLUMNS}
    for stack in ("aws-prod", "gcp-prod"):
        assert totals[stack, "busy"] > totals[stack, "idle"] > 0


def test_every_price_is_used() -> None:
    used = {line.price for column in COLUMNS for line in lines(RESOURCES[column.stack], column.usage)}
    assert used == set(PRICES)


def test_a_price_ends_with_its_tier() -> None:
    assert PRICES["HTTP API"].cost(300_000_000) == 300
    with pytest.raises(ValueError, match="300,000,001 requests of 512 KB are more than the 300,000,000 at 1 dollars"):
        PRICES["HTTP API"].cost(300_000_001)


def test_the_busy_month_is_a_mix_of_routes_of_the_api() -> None:
    paths = json.loads((ROOT / "openapi.json").read_text())["paths"]
    assert {route.api for route in ROUTES} <= {f"{method.upper()}:{path}" for path in paths for method in paths[path]}
    assert round(sum(route.share for route in ROUTES), 9) == 1


def test_the_published_example_of_a_mobile_backend() -> None:
    """Example 1 of https://aws.amazon.com/lambda/pricing/: 3 million requests of 120 ms with 1,536 MB."""
    billed = [Line("", "Lambda requests", 3e6), Line("", "Lambda duration", 3e6 * 0.120 * 1.5)]
    assert round(after_free_tiers(billed), 2) == 2.73


def test_the_published_example_of_snapstart() -> None:
    """Of the same page: 7.44 million requests of 2 s with 1 GB in 31 days, of which 1 % restore a snapshot."""
    units = {"Lambda requests": 7.44e6, "Lambda duration": 14.88e6, "SnapStart cache": 31 * 86400}
    costs = [round(PRICES[name].cost(amount), 2) for name, amount in units.items()]
    assert costs == [1.49, 248.00, 4.03]
    assert round(PRICES["SnapStart restore"].cost(74_400), 2) == 10.40


def test_the_published_examples_of_request_units() -> None:
    """https://aws.amazon.com/dynamodb/pricing/on-demand/, key terms."""
    assert [read_units(kb) for kb in (4, 8)] == [1, 2]
    assert [write_units(kb) for kb in (1, 3)] == [1, 3]


def test_the_published_example_of_documents() -> None:
    """Google on committed use discounts of Datastore mode, 2026-04-10: 2 million reads and writes each an hour."""
    hour = PRICES["Firestore reads"].cost(2e6) + PRICES["Firestore writes"].cost(2e6)
    assert round(hour, 2) == 2.40
    assert round(hour * 730) == 1752
