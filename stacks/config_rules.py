"""Rules across a stack's keys, and against its last deployment."""

import json
from collections.abc import Mapping
from typing import Any

from stacks.config import StackConfig
from stacks.config_reader import ConfigReader

INCREASING = "increasing percents from 1 to 99, like 10,50"

# Keys without effect on a cloud, with their defaults in Pulumi.yaml, which look to the program like set values.
UNUSED: dict[str, dict[str, str | None]] = {
    "aws": {"concurrency": "8", "minInstances": "0", "gcp:project": None, "gcp:region": None},
    "gcp": {
        "snapStart": "false",
        "throttleRate": "1000",
        "throttleBurst": "500",
        "permissionsBoundary": "none",
        "aws:region": None,
    },
}
# The commercial regions without SnapStart: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
NO_SNAP_START = ("ap-east-2", "ap-southeast-6")
# Lambda limits all variables together, as JSON: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
# Cloud Run limits each variable, in "Kb": https://cloud.google.com/run/quotas
ENVIRONMENT_BYTES = {"aws": ("Lambda", 4096), "gcp": ("Cloud Run", 32_000)}
STACK_ENVIRONMENT_BYTES = 500  # upper bound of the variables that the stacks add to StackConfig.app_environment


def check(config: StackConfig, read: ConfigReader, before: Mapping[str, Any]) -> None:
    """Record errors in `read`. `before` are the outputs of the stack's last deployment."""
    for key, default in UNUSED.get(config.cloud, {}).items():
        read.unused(key, default, config.cloud)
    _check_place(config, read, before)
    _check_production(config, read)
    if config.min_instances > config.max_instances > 0:
        read.wrong("minInstances", f"is {config.min_instances}: it takes up to maxInstances, {config.max_instances}")
    if config.cloud == "aws" and config.snap_start and config.region in NO_SNAP_START:
        read.wrong("snapStart", f"is 'true', and {config.region} has no SnapStart: set false, or take another region")
    _check_rollout(config, read)
    _check_domain(config, read)
    _check_environment(config, read)


def _check_place(config: StackConfig, read: ConfigReader, before: Mapping[str, Any]) -> None:
    """Resources cannot move: the engine would lose them, or delete them with their data and create new ones."""
    places = {
        "cloud": ("cloud", config.cloud),
        "account": ("gcp:project", config.gcp_project),
        "region": (f"{config.cloud}:region", config.region),
    }
    for output, (key, value) in places.items():
        there = before.get(output)
        if value and there and value != there:
            read.wrong(key, f"is {value!r}, but the stack is in {there}: destroy it first, or create another stack")
            return


def _check_production(config: StackConfig, read: ConfigReader) -> None:
    if config.environment != "production":
        return
    if config.auth is None:
        read.wrong("auth", "is 'none', which lets everybody write: production needs the URL of an issuer")
    if config.demo:
        read.wrong("demo", "is 'true', which lets requests write demo users: production needs false")
    if config.expires:
        read.wrong("expires", f"is {config.expires!r}, when `make reap` destroys the stack: production needs none")


def _check_rollout(config: StackConfig, read: ConfigReader) -> None:
    steps = config.rollout_plan.steps
    if list(steps) != sorted(set(steps)):
        read.wrong("rolloutSteps", f"is {','.join(map(str, steps))!r}: it takes {INCREASING}")
    holder = config.rollout_holder
    if holder.name and not holder.until:
        read.wrong("rolloutBy", f"is {holder.name!r} and rolloutUntil 'none': set both")


def _check_domain(config: StackConfig, read: ConfigReader) -> None:
    if config.domain_zone and config.domain is None:
        read.wrong("domainZone", f"is {config.domain_zone!r}, but there is no domain: set domain, or set this to none")
    # A name of two labels is certainly an apex, which cannot have a CNAME. A longer one, as example.co.uk, may be one.
    if config.domain and config.domain.count(".") == 1:
        apex = f"is {config.domain!r}, an apex domain, which cannot have the necessary CNAME record"
        if config.cloud == "gcp":
            read.wrong("domain", f"{apex}: it takes a subdomain like users.{config.domain}")
        elif config.domain_zone is None:
            read.wrong("domain", f"{apex}: set domainZone, or a subdomain like users.{config.domain}")


def _check_environment(config: StackConfig, read: ConfigReader) -> None:
    platform, limit = ENVIRONMENT_BYTES.get(config.cloud, ("", 0))
    size = len(json.dumps(config.app_environment)) + STACK_ENVIRONMENT_BYTES
    if platform and size > limit:
        key = "corsOrigins" if len(",".join(config.cors_origins)) > len(config.auth or "") else "auth"
        read.wrong(
            key, f"is too long: {platform}'s limit is {limit} bytes of environment, and the app's may have {size}"
        )
