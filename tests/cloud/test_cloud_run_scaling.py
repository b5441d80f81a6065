"""How many instances the revisions of a service have together."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, cast

import pytest

from local.cloud.gcp.cloud_run import revision as cloud_run_revision
from local.cloud.gcp.cloud_run.instance import Instance
from local.cloud.gcp.cloud_run.revision import NoInstance, Revision
from local.cloud.gcp.cloud_run.service import Service
from local.cloud.gcp.cloud_run.spec import Probe, Scaling, Spec, Target

SPEC = Spec("s", "sources", "s.tar.gz", None, ("python3",), (), Probe(None, 0, 1, 1, 1), 1, 10, 10, ())


class Running:
    def __init__(self) -> None:
        self.in_flight = 0
        self.alive = True
        self.exited = asyncio.get_running_loop().create_future()


async def start() -> Instance:
    return cast(Instance, Running())


def service(scaling: Scaling, **percents: int) -> Service:
    nobody = cast(Any, None)
    made = Service(nobody, scaling, nobody, traffic=[Target(name, percent) for name, percent in percents.items()])
    made.revisions = {name: Revision(name, SPEC, start, made.has_room) for name in percents}
    return made


def sizes(service: Service) -> dict[str, int]:
    return {name: revision.size for name, revision in service.revisions.items()}


def test_the_maximum_counts_the_instances_of_all_revisions_with_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_run_revision, "LONGEST_QUEUE", 0.1)

    async def overload() -> dict[str, int]:
        tried = service(Scaling(0, 3), old=90, new=10)
        await tried.scale()
        async with AsyncExitStack() as requests:
            for _ in range(2):
                await requests.enter_async_context(tried.revisions["new"].instance())
            with pytest.raises(NoInstance):
                await requests.enter_async_context(tried.revisions["new"].instance())
        return sizes(tried)

    assert asyncio.run(overload()) == {"old": 1, "new": 2}


def test_the_minimum_is_divided_as_the_traffic_is() -> None:
    async def scaled() -> dict[str, int]:
        tried = service(Scaling(10, 20), old=80, new=20)
        await tried.scale()
        return sizes(tried)

    assert asyncio.run(scaled()) == {"old": 8, "new": 2}
