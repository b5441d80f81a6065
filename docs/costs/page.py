"""The tables of docs/costs.md."""

from docs.costs import aws, gcp, month
from docs.costs.bill import COLUMNS
from docs.costs.month import BUSY
from docs.costs.prices import PRICES
from docs.tables import table
from stacks.rollout import KEPT_RELEASES

ROWS = {
    "front door": "front door: HTTP API, requests to Cloud Run",
    "compute": "compute: Lambda, Cloud Run",
    "SnapStart": "SnapStart: snapshots of the kept releases, restores",
    "min instances": "min instances of Cloud Run, and their probes",
    "users": "users: reads, writes, storage",
    "pictures": "pictures: reads, writes, storage; on Google Cloud only storage",
    "recovery": "point-in-time recovery, backups",
    "custom metrics": "custom metrics",
    "alarms": "alarms",
    "dashboard": "dashboard",
    "logs": "logs",
    "tracing": "tracing",
    "key": "Momento's key: SSM, Secret Manager",
    "artifacts": "artifacts: S3, Cloud Storage",
    "egress": "egress",
    "Momento": "Momento",
}


def bill() -> str:
    columns = [column.cells() for column in COLUMNS]
    labels = ROWS | {"total": "**total, without Momento**", "after free tiers": "total after free tiers"}
    rows = [[label, *(cells.get(row, "") for cells in columns)] for row, label in labels.items()]
    return table(["US dollars a month", *(column.title for column in COLUMNS)], rows)


def busy_month() -> str:
    operations = BUSY.cache_operations
    return table(
        ["the busy month", ""],
        [
            ["requests", BUSY.requests],
            ["users", BUSY.users],
            ["KB of a user, in the store, in an answer and in the cache", month.USER],
            ["followers of a user", month.FOLLOWERS],
            ["KB of a picture", month.PICTURE],
            ["% of the users that have a picture", 100 * month.PICTURED],
            ["% of PUT and POST that bring a picture", 100 * month.NEW_PICTURES],
            ["ms that a request takes", month.MILLISECONDS],
            ["% of the requests that start an instance", 100 * month.STARTS],
            ["seconds that an instance of Cloud Run takes to start", gcp.START_SECONDS],
            ["KB that a request logs in Lambda, in API Gateway", f"{aws.LOG['function']}, {aws.LOG['requests']}"],
            ["KB that a request logs in Cloud Run", gcp.LOG],
            ["% of the keys that the cache does not have", 100 * month.MISSES],
            ["operations of the cache", operations],
            ["operations of the cache a second, on average", operations / month.SECONDS],
            ["releases that a stack keeps", KEPT_RELEASES],
            ["MB of a release's artifact", month.ARCHIVE / month.MB],
        ],
    )


def routes() -> str:
    header = ["route", "% of the requests", "KB of an answer", "users read", "written or deleted", "keys of the cache"]
    rows = [
        [
            f"`{route.api.replace(':', ' ')}`",
            100 * route.share,
            route.answer,
            route.reads + route.listed,
            route.writes + route.deletes,
            route.keys,
        ]
        for route in month.ROUTES
    ]
    return table(header, rows)


def prices() -> str:
    rows = [
        [
            f"[{name}]({price.page})",
            f"{price.usd:.10f}".rstrip("0").rstrip("."),
            f"{price.per:,.0f} {price.unit}",
            f"{price.free:,.0f}" if price.free else "",
            f"{price.source}, {price.date}",
        ]
        for name, price in PRICES.items()
    ]
    return table(["price", "US dollars", "for", "free in a month", "source"], rows)


TABLES = {"bill": bill, "busy month": busy_month, "routes": routes, "prices": prices}
