"""A Cloud Run service: its revisions, the traffic between these, and its listeners."""

import asyncio
import itertools
import math
import random
from dataclasses import dataclass, field

from local.cloud.common.listener import Listener
from local.cloud.gcp.cloud_run.revision import Revision
from local.cloud.gcp.cloud_run.spec import Scaling, Target
from local.cloud.gcp.request_log import ServiceLog


@dataclass
class Service:
    """`revisions` are all that ever passed their probe, oldest first. `public` means that requests need no identity.

    `tagged` has the listener of each tag.
    """

    listener: Listener
    scaling: Scaling
    requests: ServiceLog
    tagged: dict[str, Listener] = field(default_factory=dict[str, Listener])
    revisions: dict[str, Revision] = field(default_factory=dict[str, Revision])
    traffic: list[Target] = field(default_factory=list[Target])
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    public: bool = False

    @property
    def latest(self) -> Revision:
        return next(reversed(self.revisions.values()))

    def split(self) -> dict[str, int]:
        """Percent of the traffic by revision; 0 for one that has only a tag."""
        percents: dict[str, int] = {}
        for target in self.traffic:
            name = target.revision or self.latest.name
            percents[name] = percents.get(name, 0) + target.percent
        return percents

    def has_room(self) -> bool:
        """Whether the revisions with traffic or a tag may have one more instance."""
        return sum(self.revisions[name].size for name in self.split()) < self.scaling.max_instances

    async def scale(self) -> None:
        """Starts instances up to the minimum, which is split like the traffic."""
        split = self.split()
        for name, revision in self.revisions.items():
            revision.minimum = max(1, math.ceil(self.scaling.min_instances * split.get(name, 0) / 100))
            if name in split:
                await revision.start()

    def pick(self, tag: str | None) -> Revision | None:
        """The revision for a request to the listener of the tag, or to the service's own; None if the tag is gone."""
        if not tag:
            split = self.split()
            [name] = random.choices(list(split), list(split.values()))
            return self.revisions[name]
        names = [target.revision or self.latest.name for target in self.traffic if target.tag == tag]
        return self.revisions[names[0]] if names else None

    async def close(self) -> None:
        await asyncio.gather(*(listener.close() for listener in (self.listener, *self.tagged.values())))
        await asyncio.gather(*(revision.stop() for revision in self.revisions.values()))
