"""The front door and the runtime on Google Cloud: a Cloud Run service of an archive, without a build.

Deploying without a build is a preview feature of Cloud Run
(https://cloud.google.com/run/docs/deploying-source-code#deploy-without-build).
"""

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_gcp import cloudrunv2, serviceaccount
from pulumi_gcp.cloudrunv2 import (
    ServiceTemplateArgsDict,
    ServiceTemplateContainerArgsDict,
    ServiceTemplateContainerEnvArgsDict,
    ServiceTemplateContainerSourceCodeArgsDict,
    ServiceTrafficArgsDict,
)

from stacks.config import StackConfig
from stacks.rollout import Rollout
from stacks.traffic import Traffic

LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
CANARY = "canary"
"""The tag of the target of an unfinished rollout, by which it has a URL of its own."""


def cloud_run(
    config: StackConfig,
    account: serviceaccount.Account,
    source: ServiceTemplateContainerSourceCodeArgsDict | None,
    environment: list[ServiceTemplateContainerEnvArgsDict],
    rollout: Rollout,
    own_url_closed: bool,
    opts: pulumi.ResourceOptions,
) -> tuple[cloudrunv2.Service, pulumi.Output[str]]:
    """A service that runs the archive `source` as `account`, open to the internet; without one, what it has.

    Also returns the id of the deployment that created its latest revision, an annotation of the revision. With a pinned
    artifact the service's template stays unchanged.
    """
    container = _container(config, environment)
    template: ServiceTemplateArgsDict = {
        # Without the time, which would make a new revision whenever it moves.
        "labels": {key: value for key, value in config.tags.items() if key != "expires"},
        "service_account": account.email,
        "timeout": f"{config.timeout_seconds}s",
        "max_instance_request_concurrency": config.concurrency,
        # So that one revision can have all instances: Cloud Run's default may be lower.
        "scaling": {"max_instance_count": config.max_instances},
        "containers": [container],
    }
    deployment = pulumi.Output.json_dumps(template, sort_keys=True).apply(rollout.deployment)
    with_source: ServiceTemplateContainerArgsDict = {**container, "source_code": source} if source else container
    # Any change would create a revision. With a pinned artifact, the template stays as it is in the state.
    unchanged = ["template"] if rollout.pinned else None if source else ["template.containers[0].sourceCode"]
    service = cloudrunv2.Service(
        "api",
        name=config.name,
        location=config.region,
        ingress="INGRESS_TRAFFIC_ALL",
        # As Google recommends for public services; organisations may forbid roles for allUsers.
        # https://cloud.google.com/run/docs/authenticating/public
        invoker_iam_disabled=True,
        default_uri_disabled=own_url_closed,
        deletion_protection=config.protected,
        labels=config.tags,
        # For all revisions with traffic together: it caps the bill in a rollout too, and a change creates no revision.
        scaling={"min_instance_count": config.min_instances, "max_instance_count": config.max_instances},
        template={**template, "containers": [with_source], "annotations": {"deployment": deployment}},
        traffics=_traffics(rollout, own_url_closed),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=unchanged)),
    )
    return service, deployment


def newest_revision(
    service: cloudrunv2.Service, deployment: pulumi.Output[str], rollout: Rollout
) -> pulumi.Output[str]:
    """The name of the newest revision. In a preview the provider gives the last one, even if a new one will follow."""

    def name(known: Sequence[str]) -> Any:
        latest, deployment = known
        is_unknown = pulumi.runtime.is_dry_run() and rollout.makes_revision(deployment)
        return pulumi.UNKNOWN if is_unknown else latest.rpartition("/")[2]

    return pulumi.Output.all(service.latest_ready_revision, deployment).apply(name)


def canary_url(service: cloudrunv2.Service, traffic: pulumi.Output[Traffic]) -> pulumi.Output[str | None]:
    """The URL of the target of an unfinished rollout; None, which is no output, if it has none."""

    def known_url(known: Sequence[Any]) -> Any:
        url, traffic = known
        if not traffic.is_unfinished:
            return None
        return pulumi.UNKNOWN if pulumi.runtime.is_dry_run() else url  # a preview has the one of the last target

    url = service.traffic_statuses.apply(lambda found: next((one.uri for one in found if one.tag == CANARY), None))
    return pulumi.Output.all(url, traffic).apply(known_url)


def _traffics(rollout: Rollout, own_url_closed: bool) -> list[ServiceTrafficArgsDict]:
    """LATEST is the revision that this deployment creates, since Cloud Run chooses its name.

    Tags have URLs only while the service has (https://cloud.google.com/run/docs/securing/disabling-default-url).
    """
    target: ServiceTrafficArgsDict = {"type": LATEST, "percent": rollout.percent}
    if rollout.pinned:
        target = {"type": REVISION, "revision": rollout.pinned.revision, "percent": rollout.percent}
    if rollout.percent == 100 or not rollout.stable:
        return [target]
    stable: ServiceTrafficArgsDict = {
        "type": REVISION,
        "revision": rollout.stable.revision,
        "percent": 100 - rollout.percent,
    }
    if not own_url_closed:
        target["tag"] = CANARY
    elif not rollout.percent:
        return [stable]
    return [target, stable]


def _container(
    config: StackConfig, environment: list[ServiceTemplateContainerEnvArgsDict]
) -> ServiceTemplateContainerArgsDict:
    """Google's Python image, in whose working directory Cloud Run unpacks the source."""
    return {
        "image": "scratch",
        "base_image_uri": f"{config.region}-docker.pkg.dev/serverless-runtimes/google-22/runtimes/python313",
        "commands": ["python3"],
        "args": ["-m", "gunicorn", "--config", "python:app.gunicorn_config", "app.wsgi:app"],
        "envs": environment,
        "resources": {
            "limits": {"cpu": "1", "memory": f"{config.memory_mb}Mi"},
            "cpu_idle": True,
            "startup_cpu_boost": True,
        },
        "startup_probe": {
            "http_get": {"path": "/health/live"},
            "period_seconds": 2,
            "timeout_seconds": 1,
            "failure_threshold": 30,
        },
        "liveness_probe": {"http_get": {"path": "/health/live"}, "period_seconds": 30, "timeout_seconds": 5},
    }
