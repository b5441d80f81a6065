"""List prices in US dollars, in us-east-1 and us-central1: the first tier of each, and where it comes from."""

from dataclasses import dataclass
from math import inf
from typing import Literal, NamedTuple

from docs.costs.month import DAYS

LAMBDA = "https://aws.amazon.com/lambda/pricing/"
DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
RUN = "https://cloud.google.com/run/pricing"
FIRESTORE = "https://cloud.google.com/firestore/pricing"
OBSERVABILITY = "https://cloud.google.com/products/observability/pricing"
SECRETS = "https://cloud.google.com/secret-manager/pricing"


@dataclass(frozen=True)
class Price:
    usd: float
    per: float
    """Units that `usd` buys."""
    unit: str
    page: str
    source: Literal["quoted", "copy", "memory"]
    """As docs/costs.md explains."""
    date: str
    free: float = 0
    """Units a month that cost nothing, once for the whole account."""
    up_to: float = inf
    """Units a month at this price; more have another."""

    def cost(self, units: float) -> float:
        """US dollars. Raises ValueError beyond the tier."""
        if units > self.up_to:
            raise ValueError(f"{units:,.0f} {self.unit} are more than the {self.up_to:,.0f} at {self.usd:g} dollars")
        return units / self.per * self.usd


class Line(NamedTuple):
    """Units that are billed in a row of the table."""

    row: str
    price: str
    """A key of PRICES."""
    units: float


M = 1_000_000

PRICES = {
    "HTTP API": Price(
        1.00, M, "requests of 512 KB", "https://aws.amazon.com/api-gateway/pricing/", "quoted", "2026-09-13", 0, 300 * M
    ),
    "Lambda requests": Price(0.20, M, "requests", LAMBDA, "quoted", "2025-10-28", M),
    "Lambda duration": Price(0.0000166667, 1, "GB-s on x86", LAMBDA, "quoted", "2025-10-28", 400_000, 6_000 * M),
    "SnapStart cache": Price(0.0000015046, 1, "GB-s", LAMBDA, "quoted", "2025-10-28"),
    "SnapStart restore": Price(0.0001397998, 1, "GB", LAMBDA, "quoted", "2025-10-28"),
    "DynamoDB reads": Price(0.125, M, "read request units of 4 KB", DYNAMODB, "quoted", "2026-09-13"),
    "DynamoDB writes": Price(0.625, M, "write request units of 1 KB", DYNAMODB, "quoted", "2026-09-13"),
    "DynamoDB storage": Price(0.25, 1, "GB-month", DYNAMODB, "quoted", "2024-11-15", 25),
    "DynamoDB point-in-time recovery": Price(0.20, 1, "GB-month", DYNAMODB, "quoted", "2024-11-15"),
    "CloudWatch metrics": Price(0.30, 1, "metric", CLOUDWATCH, "quoted", "2026-05-05", 10, 10_000),
    "CloudWatch alarms": Price(0.10, 1, "metric in an alarm", CLOUDWATCH, "quoted", "2026-05-05", 10),
    "CloudWatch dashboards": Price(3.00, 1, "dashboard", CLOUDWATCH, "quoted", "2022-04-29", 3),
    "CloudWatch Logs": Price(0.50, 1, "GB", CLOUDWATCH, "quoted", "2026-05-05", 5, 10_000),
    "CloudWatch Logs storage": Price(0.03, 1, "GB-month", CLOUDWATCH, "quoted", "2026-05-05"),
    "X-Ray": Price(5.00, M, "traces", "https://aws.amazon.com/xray/pricing/", "memory", "2026-11-26", 100_000),
    "S3": Price(0.023, 1, "GB-month", "https://aws.amazon.com/s3/pricing/", "quoted", "2020-12-27", 0, 50_000),
    "AWS egress": Price(
        0.09, 1, "GB", "https://aws.amazon.com/ec2/pricing/on-demand/", "memory", "2026-11-26", 100, 10_000
    ),
    "Cloud Run requests": Price(0.40, M, "requests", RUN, "quoted", "2026-10-04", 2 * M),
    "Cloud Run CPU": Price(0.000024, 1, "vCPU-s", RUN, "quoted", "2026-10-04", 180_000),
    "Cloud Run memory": Price(0.0000025, 1, "GiB-s", RUN, "quoted", "2026-10-04", 360_000),
    "Cloud Run idle CPU": Price(0.0000025, 1, "vCPU-s", RUN, "quoted", "2026-11-25"),
    "Cloud Run idle memory": Price(0.0000025, 1, "GiB-s", RUN, "quoted", "2026-11-25"),
    "Firestore reads": Price(0.03, 100_000, "documents", FIRESTORE, "quoted", "2026-10-08", 50_000 * DAYS),
    "Firestore writes": Price(0.09, 100_000, "documents", FIRESTORE, "quoted", "2026-10-08", 20_000 * DAYS),
    "Firestore deletes": Price(0.01, 100_000, "documents", FIRESTORE, "quoted", "2026-11-25", 20_000 * DAYS),
    "Firestore storage": Price(0.15, 1, "GiB-month", FIRESTORE, "quoted", "2026-11-25", 1),
    "Firestore point-in-time recovery": Price(0.15, 1, "GiB-month", FIRESTORE, "quoted", "2026-11-25"),
    "Firestore backups": Price(0.03, 1, "GiB-month", FIRESTORE, "quoted", "2026-11-25"),
    "Cloud Monitoring metrics": Price(0.258, 1, "MiB", OBSERVABILITY, "quoted", "2026-09-06", 150, 100_000),
    "Cloud Logging": Price(0.50, 1, "GiB", OBSERVABILITY, "copy", "2026-11-26", 50),
    "Cloud Logging retention": Price(0.01, 1, "GiB-month after 30 days", OBSERVABILITY, "copy", "2026-11-26"),
    "Secret Manager": Price(0.06, 1, "active version", SECRETS, "quoted", "2026-11-25", 6),
    "Secret Manager access": Price(0.03, 10_000, "accesses", SECRETS, "quoted", "2026-11-25", 10_000),
    "Cloud Storage": Price(
        0.020, 1, "GiB-month", "https://cloud.google.com/storage/pricing", "memory", "2026-11-26", 5
    ),
    "Google Cloud egress": Price(
        0.12, 1, "GiB", "https://cloud.google.com/vpc/network-pricing", "quoted", "2026-08-19", 1, 1024
    ),
}
