"""The stack's log entries, and how long they are kept."""

import pulumi
from pulumi_gcp import logging

from stacks.config import StackConfig

DEFAULT_RETENTION_DAYS = 30
"""How long Cloud Logging's own bucket, `_Default`, keeps entries unless it is configured otherwise."""


def logs_of(config: StackConfig) -> str:
    """A filter for the service's requests and the app's output, in Cloud Logging's query language."""
    return f'resource.type="cloud_run_revision" AND resource.labels.service_name="{config.name}"'


def keep_logs(config: StackConfig, opts: pulumi.ResourceOptions) -> None:
    """Create a log bucket for the stack, unless `_Default` keeps its logs for the configured time.

    Log-based metrics also count excluded entries (cloud.google.com/logging/docs/logs-based-metrics).
    """
    if config.log_retention_days == DEFAULT_RETENTION_DAYS:
        return
    bucket = logging.ProjectBucketConfig(
        "logs",
        project=config.gcp_project,
        location=config.region,
        bucket_id=config.name,
        retention_days=config.log_retention_days,
        # A deleted bucket blocks its name for a week, so this one stays, with its logs until they expire, and the next
        # `pulumi up` adopts it.
        deletion_policy="ABANDON",
        opts=opts,
    )
    sink = logging.ProjectSink(
        "logs",
        name=config.name,
        destination=pulumi.Output.concat("logging.googleapis.com/", bucket.id),
        filter=logs_of(config),
        opts=opts,
    )
    logging.ProjectExclusion(
        "logs",
        name=config.name,
        filter=logs_of(config),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[sink])),
    )
