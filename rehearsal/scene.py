"""What happened in a scene: a build was promoted to a stack, under traffic."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rehearsal import builds
from rehearsal.traffic import Request


@dataclass(frozen=True)
class Scene:
    """`result` is what `make promote JSON=1` prints. `moves` are when the traffic began to be moved, in Unix seconds,
    and the percentage of the new build; at last 0 if it is rolled back.
    """

    cloud: str
    build: str
    result: dict[str, Any]
    moves: list[tuple[float, int]]
    requests: list[Request]

    @property
    def outcome(self) -> str:
        return self.result["outcome"]

    @cached_property
    def failed(self) -> list[Request]:
        return [request for request in self.requests if request.failed]

    @cached_property
    def canary(self) -> list[Request]:
        """What the new build answered."""
        return [request for request in self.requests if request.build == self.build]

    @cached_property
    def bound(self) -> int:
        """How many requests the new build could have been given until its last answer: its share, times the window."""
        last = max((request.at for request in self.canary), default=0)
        return round(sum(self._share(request.at) for request in self.requests if request.at <= last))

    def _share(self, at: float) -> float:
        """Of the requests at that time, at most so many went to the new build."""
        return max((percent for begin, percent in self.moves if begin <= at), default=0) / 100

    @cached_property
    def seconds_to_rollback(self) -> float:
        """From the first request that failed to the new build's last answer."""
        if not self.failed or not self.canary:
            return 0
        return max(one.at + one.milliseconds / 1000 for one in self.canary) - min(one.at for one in self.failed)

    def wrong(self) -> Iterable[str]:
        """What is not as it should be, whatever the speed of the computer."""
        good = self.build not in builds.BAD
        wanted = "promoted" if good else "rolled back"
        if self.outcome != wanted:
            yield f"it was {self.outcome} instead of {wanted}: {self.result['reason']}"
        if others := [one for one in self.failed if one.build != self.build or good]:
            yield f"{len(others)} requests failed that no bad build got, such as {others[0]}"
        if len(self.failed) > self.bound:
            yield f"{len(self.failed)} requests failed, and the new build could have been given {self.bound}"

    def __str__(self) -> str:
        late = sum(request.timed_out for request in self.requests)
        said = [
            f"{self.cloud}  {self.build:6}  {self.outcome}  {len(self.failed)} of {len(self.requests)} requests failed",
            f"{self.bound} could have, and the new build had {len(self.canary)}",
            f"rolled back {self.seconds_to_rollback:.1f} s after the first failure" if self.failed else "",
            f"the store was late for {late}, since this computer is too busy" if late else "",
        ]
        return "; ".join(filter(None, said))
