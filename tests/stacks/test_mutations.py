"""Every property that a stack sets is held by an assertion of its own: change one, and a test of these files fails.

The snapshots do not count here: they show that something changed, not that it must not. What is watched, and how, is
left to test_observability.py and the snapshots.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from local.providers.values import Asset
from stacks.artifact import Artifact
from tests.stacks import test_aws, test_both, test_gcp, test_wiring
from tests.stacks.deployment import Deployment

WATCHING = {"AlertPolicy", "Dashboard", "LogMetricFilter", "Metric", "MetricAlarm"}

type Keys = tuple[str | int, ...]
type Check = Callable[[Deployment], None]


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_no_property_can_change_unseen(
    cloud: str, artifact: Artifact, root: Path, request: pytest.FixtureRequest
) -> None:
    deployment: Deployment = request.getfixturevalue(cloud)
    held_by = checks(cloud, artifact, root)
    assert all(passes(check, deployment) for check in held_by)
    unseen: list[str] = []
    for index, resource in enumerate(deployment.resources):
        if resource.type.rpartition(":")[2] in WATCHING:
            continue
        for keys in leaves(resource.inputs):
            resources = deployment.resources.copy()
            resources[index] = replace(resource, inputs=mutated(resource.inputs, keys))
            if all(passes(check, replace(deployment, resources=resources)) for check in held_by):
                unseen.append(f"{resource.type}::{resource.name} {keys}")
    assert unseen == []


def checks(cloud: str, artifact: Artifact, root: Path) -> list[Check]:
    """The tests that look at one deployment and nothing else."""
    modules = (test_both, test_wiring, test_aws if cloud == "aws" else test_gcp)
    return [
        check
        for module in modules
        for name, test in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("test_") and (check := _bound(test, cloud, artifact, root))
    ]


def _bound(test: Callable[..., None], cloud: str, artifact: Artifact, root: Path) -> Check | None:
    known: dict[str, Any] = {"artifact": artifact, "root": root}
    names = list(inspect.signature(test).parameters)
    subject = next((name for name in names if name in (cloud, "either")), None)
    if subject is None or set(names) - {subject} - known.keys():
        return None
    return lambda deployment: test(**{subject: deployment}, **{n: known[n] for n in names if n != subject})


def leaves(value: Any, keys: Keys = ()) -> Iterator[Keys]:
    if isinstance(value, dict) and value:
        for name, item in cast("dict[str, Any]", value).items():
            yield from leaves(item, (*keys, name))
    elif isinstance(value, list) and value:
        for index, item in enumerate(cast("list[Any]", value)):
            yield from leaves(item, (*keys, index))
    elif keys and not isinstance(value, Asset):
        yield keys


def mutated(value: Any, keys: Keys) -> Any:
    """A copy with another value there."""
    if not keys:
        return not value if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else f"{value}x"
    copy = value.copy()
    copy[keys[0]] = mutated(value[keys[0]], keys[1:])
    return copy


def passes(check: Check, deployment: Deployment) -> bool:
    try:
        check(deployment)
    except Exception:  # whatever stops a test fails it
        return False
    return True
