"""Reads and validates the keys of a stack's configuration. Pulumi.yaml has their descriptions and defaults."""

import re
from collections.abc import Mapping
from typing import Any

import pulumi

from stacks.config import RolloutPlan, StackConfig
from stacks.config_reader import ConfigReader
from stacks.config_rules import INCREASING, check
from stacks.traffic import Holder

PERSISTENCE_OF = {"aws": ("dynamodb",), "gcp": ("firestore",)}
# China's regions have names of the same pattern; those of other partitions, such as us-gov-west-1, do not.
REGION = {
    "aws": (r"(?!cn-)[a-z]{2}-[a-z]+-\d", "a commercial region of AWS"),
    "gcp": (r"[a-z]+-[a-z]+\d+", "a region of Google Cloud"),
}
LOOPBACK = r"(127\.0\.0\.1|localhost)"
HOST = r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?"
PORT = r":\d{1,5}"
ISSUER = rf"none|(https://(?i:{HOST})({PORT})?|http://{LOOPBACK}{PORT})(/[^\s?#@]*)?"
# Google's rule for the ids of service accounts: the strictest of all resources that have the stack's name.
ACCOUNT_ID = r"[a-z][-a-z0-9]{4,28}[a-z0-9]"
# The names of Google's buckets must not contain "google" or "close misspellings".
NO_GOOGLE = r"(?!goog)(?!.*g[o0]{2}g[l1i]e)"
# The names of S3's buckets and SSM's parameters must not begin with these.
NAME = rf"{NO_GOOGLE}(?!aws|ssm|xn--|sthree-|amzn-s3-demo-){ACCOUNT_ID}"
ALLOWED_NAME = (
    "6 to 30 lowercase letters, digits and hyphens including the project's name, without google, and not beginning "
    "with aws, ssm, goog, xn--, sthree- or amzn-s3-demo-"
)
DOMAIN = r"(?=.{1,64}$)([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+([a-z]{2,}|xn--[-a-z0-9]+)"  # 64: a certificate's common name
ORIGIN = rf"https?://{HOST}({PORT})?"
BOUNDARY = r"arn:aws:iam::\d{12}:policy/[\w+=,.@/-]{1,640}"
EMAIL = r"(?=.{1,254}$)[^@\s]+@[^@\s]+\.[^@\s]+"
ARTIFACT = r"build|promoted|sha256:[0-9a-f]{64}"
STEPS = r"[1-9]\d?(,[1-9]\d?)*"
HOLDER = r"\S{1,128}"
TIME = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ"
# The values up to a year that CloudWatch Logs accepts.
LOG_RETENTION_DAYS = ("1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365")


def load(before: Mapping[str, Any]) -> StackConfig:
    """The configuration. `before` are the outputs of the stack's last deployment, empty on the first.

    Raises pulumi.RunError with one line per invalid key, which names the key, its value and the allowed values.
    """
    project, stack = pulumi.get_project(), pulumi.get_stack()
    read = ConfigReader(project, stack)
    name = f"{project}-{stack}"
    if not re.fullmatch(NAME, name):
        read.wrong_name(f"makes {name!r}: it takes {ALLOWED_NAME}")
    cloud = read.choice("cloud", tuple(PERSISTENCE_OF))
    read.secret("momento:apiKey", "MOMENTO_API_KEY")  # both of which the plugin knows
    config = StackConfig(
        stack=stack,
        name=name,
        cloud=cloud,
        environment=read.choice("environment", ("development", "production")),
        expires=_optional(read.text("expires", f"none|{TIME}", "none, or a time like 2026-11-29T16:00:00Z")),
        region=read.text(f"{cloud}:region", *REGION[cloud]) if cloud else "",
        gcp_project=read.text("gcp:project", NO_GOOGLE + ACCOUNT_ID, "the id of a project") if cloud == "gcp" else "",
        persistence=read.choice("persistence", _stores(cloud), f" on {cloud}" if cloud else ""),
        recovery_days=read.integer("recoveryDays", 1, 35),
        cache_ttl_seconds=read.integer("cacheTtlSeconds", 1, 24 * 60 * 60),
        momento_endpoint=read.text("momento:endpoint", rf"{HOST}|http://{HOST}{PORT}", "a host, or http://host:port"),
        momento_api_key=read.secret("momentoApiKey", "MOMENTO_APP_API_KEY"),
        demo=read.flag("demo"),
        artifact=read.text("artifact", ARTIFACT, "build, promoted, or the sha256:... of an artifact"),
        rollout=read.integer("rollout", 0, 100),
        rollout_plan=_rollout_plan(read),
        rollout_holder=Holder(
            _optional(read.text("rolloutBy", HOLDER, "none, or a holder like ann@host:1234")) or "",
            _optional(read.text("rolloutUntil", f"none|{TIME}", "none, or a time like 2026-11-26T16:00:00Z")) or "",
        ),
        rollout_after=_optional(read.text("rolloutAfter", HOLDER, "none, or a holder like ann@host:1234")),
        memory_mb=read.integer("memoryMb", 512, 4096),
        snap_start=read.flag("snapStart"),
        concurrency=read.integer("concurrency", 1, 80),
        min_instances=read.integer("minInstances", 0, 100),
        max_instances=read.integer("maxInstances", 1 if cloud == "gcp" else 0, 1000),
        timeout_seconds=read.integer("timeoutSeconds", 10, 29),
        auth=_optional(read.text("auth", ISSUER, "none, or the https URL of an issuer")),
        auth_audience=read.text("authAudience", r"\S{1,256}", "the audience of tokens"),
        cors_origins=_list(
            read.text(
                "corsOrigins",
                rf"none|{ORIGIN}(,{ORIGIN})*",
                "none, or origins like https://a.example,https://b.example",
            )
        ),
        throttle_rate=read.integer("throttleRate", 1, 10000),
        throttle_burst=read.integer("throttleBurst", 1, 5000),
        domain=_optional(read.text("domain", f"none|{DOMAIN}", "none, or a name like users.example.com")),
        domain_zone=_optional(
            read.text("domainZone", r"none|[-A-Za-z0-9]{1,63}", "none, or a zone of the cloud's DNS")
        ),
        permissions_boundary=_optional(
            read.text("permissionsBoundary", f"none|{BOUNDARY}", "none, or the ARN of a policy of IAM")
        ),
        alarm_email=_optional(read.text("alarmEmail", f"none|{EMAIL}", "none, or an address like ops@example.com")),
        tracing=read.flag("tracing"),
        log_retention_days=int(read.choice("logRetentionDays", LOG_RETENTION_DAYS) or 0),
    )
    check(config, read, before)
    read.refuse_unknown("momento")
    if read.errors:
        raise pulumi.RunError("\n".join(read.errors))
    return config


def _stores(cloud: str) -> tuple[str, ...]:
    return PERSISTENCE_OF.get(cloud) or tuple(store for stores in PERSISTENCE_OF.values() for store in stores)


def _rollout_plan(read: ConfigReader) -> RolloutPlan:
    steps = read.text("rolloutSteps", STEPS, INCREASING)
    return RolloutPlan(
        steps=tuple(map(int, steps.split(","))) if steps else (),
        step_seconds=read.integer("rolloutStepSeconds", 1, 3600),
        min_requests=read.integer("rolloutMinRequests", 20, 5000),
        max_errors=read.integer("rolloutMaxErrors", 0, 100),
        max_slowdown=read.integer("rolloutMaxSlowdown", 1, 10),
    )


def _optional(value: str) -> str | None:
    return None if value == "none" else value


def _list(value: str) -> tuple[str, ...]:
    return () if value in ("", "none") else tuple(value.split(","))
