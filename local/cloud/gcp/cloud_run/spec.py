"""Parses the Pulumi inputs of a Cloud Run service (gcp:cloudrunv2/service:Service), and adds Cloud Run's defaults.

https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services
"""

import re
from dataclasses import dataclass
from typing import Any

DEFAULT_MAX_INSTANCES = 100


class SpecError(ValueError):
    """Cloud Run, or the laptop's, cannot run the service. The message names the property."""


@dataclass(frozen=True)
class Secret:
    """A secret's id, or projects/P/secrets/ID, and a version: a number or `latest`."""

    secret: str
    version: str


@dataclass(frozen=True)
class Probe:
    """A startup probe, over TCP if `path` is None. Durations are in seconds."""

    path: str | None
    initial_delay: float
    period: float
    timeout: float
    failure_threshold: int


@dataclass(frozen=True)
class Target:
    """A share of the traffic. `revision` None means the latest ready one; with a tag it has a URL of its own."""

    revision: str | None
    percent: int
    tag: str | None = None


@dataclass(frozen=True)
class Spec:
    """The properties of a revision. A change to any of them makes a new revision."""

    name: str
    bucket: str
    object: str
    generation: str | None
    command: tuple[str, ...]
    env: tuple[tuple[str, str | Secret], ...]
    probe: Probe
    concurrency: int
    timeout: float  # seconds
    max_instances: int
    annotations: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Scaling:
    """The total number of instances of all revisions with traffic. A change makes no revision."""

    min_instances: int
    max_instances: int


def spec(inputs: dict[str, Any]) -> Spec:
    """Raises SpecError."""
    template = inputs["template"]
    containers = _list(template.get("containers"))
    if len(containers) != 1:
        raise SpecError(f"template.containers: {len(containers)} containers, the laptop runs exactly one")
    container = _dict(containers[0])
    source = _dict(_dict(container.get("sourceCode")).get("cloudStorageSource"))
    if not source:
        image = container.get("image")
        raise SpecError(f"template.containers[0].sourceCode is missing: the laptop cannot run image {image}")
    command = (*_list(container.get("commands")), *_list(container.get("args")))
    if not command:
        raise SpecError("template.containers[0].commands is missing: source without a build has no entry point")
    return Spec(
        name=inputs["name"],
        bucket=source["bucket"],
        object=source["object"],
        generation=source.get("generation"),
        command=command,
        env=tuple((variable["name"], _value(variable)) for variable in _list(container.get("envs"))),
        probe=_probe(container.get("startupProbe")),
        concurrency=int(template.get("maxInstanceRequestConcurrency") or 80),
        timeout=seconds(template.get("timeout") or "300s"),
        max_instances=int(_dict(template.get("scaling")).get("maxInstanceCount") or DEFAULT_MAX_INSTANCES),
        annotations=tuple(sorted(_dict(template.get("annotations")).items())),
    )


def scaling(inputs: dict[str, Any]) -> Scaling:
    given = _dict(inputs.get("scaling"))
    return Scaling(
        min_instances=int(given.get("minInstanceCount") or 0),
        max_instances=int(given.get("maxInstanceCount") or DEFAULT_MAX_INSTANCES),
    )


def targets(inputs: dict[str, Any]) -> list[Target]:
    """The traffic split, by default all to the latest revision. Raises SpecError if it is not valid."""
    traffic = [
        Target(target.get("revision") or None, int(target.get("percent") or 0), target.get("tag") or None)
        for target in _list(inputs.get("traffics"))
    ] or [Target(None, 100)]
    total = sum(target.percent for target in traffic)
    if total != 100:
        raise SpecError(f"traffics: the percents add up to {total}, not to 100")
    tags = [target.tag for target in traffic if target.tag]
    for tag in tags:
        if tags.count(tag) > 1 or not re.fullmatch("[a-z]([-a-z0-9]{0,44}[a-z0-9])?", tag):
            raise SpecError(f"traffics: the tag {tag!r} is not a unique name of lowercase letters, digits and hyphens")
    return traffic


def seconds(duration: str) -> float:
    """Parses a google.protobuf.Duration, such as `3.5s`."""
    return float(duration.removesuffix("s"))


def _dict(value: Any) -> dict[str, Any]:
    return value or {}


def _list(value: Any) -> list[Any]:
    return value or []


def _value(variable: dict[str, Any]) -> str | Secret:
    reference = _dict(_dict(variable.get("valueSource")).get("secretKeyRef"))
    if reference:
        return Secret(reference["secret"], reference.get("version") or "latest")
    return variable.get("value") or ""


def _probe(probe: dict[str, Any] | None) -> Probe:
    """By default, Cloud Run waits four minutes for the port to open."""
    if not probe:
        return Probe(None, 0, 240, 240, 1)
    http = probe.get("httpGet")
    return Probe(
        path=(http.get("path") or "/") if http is not None else None,
        initial_delay=float(probe.get("initialDelaySeconds") or 0),
        period=float(probe.get("periodSeconds") or 10),
        timeout=float(probe.get("timeoutSeconds") or 1),
        failure_threshold=int(probe.get("failureThreshold") or 3),
    )
