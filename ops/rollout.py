"""Moves the traffic of one stack to one artifact, and judges every step."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops import archive, engine, holder, request_log
from ops.check import check_newest
from ops.judge import Judgement, Limits, Verdict, judge, p99
from ops.probes import send_probes
from ops.request_log import Request
from ops.stack import Stack, UsageError
from ops.status import is_unfinished
from ops.terminal import say

UP_WITHIN = 900  # seconds; `pulumi up` and what surrounds it take less
LOOKS = 10  # at the requests, in a step
SETTLED = 5  # seconds after which the clouds' logs can be read; a request's two lines may appear one after the other


class Failed(Exception):
    """The new revision is worse than the stable one; the message is one line."""


class Held(Exception):
    """Nobody can say whether the new revision is good, so its share stays as it is; the message is one line."""


@dataclass
class Rollout:
    """`archive` is the artifact's, None if it ran here before. `steps` are the judgements so far, and `has_begun` says
    whether anything has changed.
    """

    stack: Stack
    digest: str
    archive: Path | None
    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __post_init__(self) -> None:
        self._holder = holder.myself()
        self._expected = self.stack.outputs.get("rolloutBy", "")
        self._stable: str | None = self.stack.outputs.get("stableDigest")
        self._percent = 0
        self._began = self._moved = 0.0
        self.has_begun = False

    @property
    def outputs(self) -> Any:
        return self.stack.outputs

    def run(self) -> None:
        """Take all steps that are left. Raises Failed, Held, engine.UpFailed, and UsageError if it cannot go on."""
        resumed = is_unfinished(self.outputs) and self.outputs["artifactDigest"] == self.digest
        first = self.outputs.get("percent", 0) if resumed else 0  # a stack of before has no such output
        self.move(first)
        if self.archive:
            self._check_arrival(self.archive)
        self._verify()
        if first:
            self._watch(first)
        for percent in self._steps_after(first):
            self.move(percent)
            self._watch(percent)
        if is_unfinished(self.outputs):
            self.move(100)

    def give_back(self) -> bool:
        """Give all traffic to the revision that was stable before; False if nothing ran before. Raises as `move`."""
        if not self._stable:
            return False
        self.digest = self._stable
        self.move(100)
        return True

    def is_overtaken(self) -> bool:
        """Whether somebody else has moved the traffic since the last move. Raises UsageError."""
        now = self.stack.beside(self.stack.name).outputs
        return now.get("rolloutBy") != self._holder and any(
            now.get(name) != self.outputs.get(name) for name in ("rolloutBy", "artifactDigest", "percent")
        )

    def release(self) -> None:
        """Let anybody go on who promotes again before the deadline. Raises as `move`."""
        if is_unfinished(self.outputs):
            self._up(self._percent, "none")

    def move(self, percent: int) -> None:
        """Raises engine.UpFailed, also if somebody else has moved the traffic meanwhile, and UsageError."""
        say(f"{percent} % to {self.digest}")
        self._percent, self._began = percent, time.time()
        self._up(percent, self._holder)
        self._expected, self._moved = self.outputs["rolloutBy"], time.time()

    def _up(self, percent: int, holder_name: str) -> None:
        seconds = UP_WITHIN + 2 * self.outputs.get("rolloutPlan", {}).get("stepSeconds", 0)
        settings = {
            "artifact": self.digest,
            "rollout": str(percent),
            "rolloutBy": holder_name,
            "rolloutAfter": self._expected or "none",
            "rolloutUntil": holder.deadline(seconds),
        }
        engine.up(self.stack, settings)
        self.has_begun = True
        self.stack = self._now()

    def _now(self) -> Stack:
        """The stack as it is. Raises UsageError if somebody has destroyed it: then there is nothing to release."""
        now = self.stack.beside(self.stack.name)
        if not now.outputs:
            self.stack = now
            raise UsageError(f"{now.title} has been destroyed meanwhile")
        return now

    def _steps_after(self, percent: int) -> list[int]:
        """Those of the stack's plan. A revision that could not be verified at 0 % begins with 1 %."""
        if not is_unfinished(self.outputs):
            return []
        careful = [1] if percent == 0 and not can_be_asked(self.outputs) else []
        return careful + [step for step in self.outputs["rolloutPlan"]["steps"] if step > max(percent, *careful, 0)]

    def _check_arrival(self, file: Path) -> None:
        try:
            archive.check_arrival(self.stack, file)
        except UsageError as error:
            raise Failed(str(error)) from None

    def _verify(self) -> None:
        """Raises Failed if a check of the newest revision is wrong, which gets no requests yet unless this resumes."""
        if not can_be_asked(self.outputs):
            say("not verified, since the domain closed the URLs that lead to it alone")
        elif wrong := check_newest(self.stack).wrong:
            more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise Failed(f"{wrong[0]}{more}")

    def _watch(self, percent: int) -> None:
        """Wait for a step's time and requests. Raises Failed, Held or UsageError."""
        if not is_unfinished(self.outputs):
            return
        judgement = self._wait(percent)
        if judgement.verdict is not Verdict.SUCCESSFUL:
            if judgement.verdict is Verdict.INCONCLUSIVE and can_be_asked(self.outputs):
                say(f"{judgement.reason}: sending probes")
                send_probes(self.stack, self.outputs["rolloutPlan"]["minRequests"])
            judgement = self._wait(percent)
        if judgement.verdict is not Verdict.SUCCESSFUL:
            raise Held(f"{judgement.verdict}: {judgement.reason}")
        now = self._now().outputs
        if now["rolloutBy"] == self._holder and now["revision"] != self.outputs["revision"]:
            raise Held(
                f"`pulumi up` has made revision {now['revision']} meanwhile, which was not judged: promote again"
            )

    def _wait(self, percent: int) -> Judgement:
        """The judgement at the end of the step's time. Raises Failed as soon as one fails."""
        seconds = self.outputs["rolloutPlan"]["stepSeconds"]
        end = time.monotonic() + seconds
        while True:
            time.sleep(max(0, min(seconds / LOOKS, end - time.monotonic())))
            is_over = time.monotonic() >= end  # before the look, which may take seconds and sees only what came before
            judgement = self._look(percent)
            if judgement.verdict is Verdict.FAILED:
                raise Failed(judgement.reason)
            if is_over:
                return judgement

    def _look(self, percent: int) -> Judgement:
        plan = self.outputs["rolloutPlan"]
        limits = Limits(plan["minRequests"], plan["maxErrors"], plan["maxSlowdown"])
        now = time.time()
        try:
            canary, stable = (
                request_log.read(self.stack, self.outputs[name], self._began, now - SETTLED)
                for name in ("revision", "stableRevision")
            )
        except UsageError as error:
            judgement = Judgement(Verdict.ERROR, str(error))
            canary = stable = ()
        else:
            judgement = judge(canary, stable, limits, self._moved + plan["stepSeconds"] / LOOKS)
        self.steps.append(
            {
                "percent": percent,
                "at": round(now, 3),
                "verdict": judgement.verdict,
                "reason": judgement.reason,
                "canary": _figures(canary),
                "stable": _figures(stable),
            }
        )
        say(f"{percent} %: {judgement.verdict}, {judgement.reason}")
        return judgement


def can_be_asked(outputs: Any) -> bool:
    """Whether requests can be sent to the newest revision alone (`newest`)."""
    return outputs["cloud"] == "aws" or "canaryUrl" in outputs or not is_unfinished(outputs)


def _figures(requests: Sequence[Request]) -> dict[str, float]:
    failed = sum(request.failed for request in requests)
    return {"requests": len(requests), "failed": failed, **({"p99": p99(requests)} if requests else {})}
