"""`make promote` is killed at every step, under traffic. `make status` tells, and a second run finishes or undoes."""

import json
import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from rehearsal.plan import Plan
from rehearsal.stage import Stage, live
from rehearsal.traffic import Traffic
from tests.tiers import cases

PLAN = Plan(steps="50", step_seconds=5, min_requests=20, max_slowdown=10, rate=4, most=1, around=10)
# The line after which it is killed, and the percentage that the stack is at; None if an engine was at work on it.
POINTS = {"0 % to": None, "ok .*GET /health/ready": 0, "50 % to": None, "50 %: ": 50, "100 % to": None}
# At each point once on either cloud; one is finished, the other undone, by code that knows no cloud.
WAYS = [(("aws", "finish"), ("gcp", "undo")), (("gcp", "finish"), ("aws", "undo"))]
CASES = [(*way, point) for number, point in enumerate(POINTS) for way in WAYS[number % 2]]


@pytest.fixture(scope="module")
def promotable(stage: Stage) -> None:
    """A good build to promote, on both clouds."""
    for cloud in ("aws", "gcp"):
        stage.prepare(cloud)
        stage.configure(cloud, PLAN)
    stage.local("up", "aws", "gcp", build="good")


@pytest.fixture
def traffic(stage: Stage, promotable: None, cloud: str) -> Iterator[Traffic]:
    """None of its requests may fail."""
    with Traffic(stage.url(cloud), PLAN.rate, PLAN.seed, PLAN.most) as traffic:
        yield traffic
        traffic.wait(PLAN.around)
    assert [request for request in traffic.requests if request.failed] == []


@pytest.mark.usefixtures("traffic")
@cases("cloud, then, point", CASES, test=0)
def test_a_killed_promotion(stage: Stage, cloud: str, then: str, point: str) -> None:
    stack = live(cloud)
    before, new = (about(stage, name)["artifact"] for name in (stack, cloud))
    killed = kill(stage, cloud, point)
    told = about(stage, stack)
    if POINTS[point] is not None:
        assert (told["state"], told["percent"]) == ("abandoned", POINTS[point])
    assert told["state"] == "complete" or (told["state"] == "abandoned" and told["rolloutBy"].endswith(f":{killed}"))
    if then == "finish":
        assert result(stage, "promote", cloud, stack)["outcome"] in {"promoted", "unchanged"}
        assert about(stage, stack)["artifact"] == new
        result(stage, "rollback", stack, "--to", before)
    elif told["artifact"] != before:
        assert result(stage, "rollback", stack)["outcome"] == "rolled back"
    told = about(stage, stack)
    assert (told["state"], told["artifact"]) == ("complete", before)


def kill(stage: Stage, cloud: str, point: str) -> int:
    """The process that promoted, and was killed at that point. What it has started has ended, too."""
    with stage.ops("promote", cloud, live(cloud), "--json") as promotion:
        assert promotion.stderr
        said: list[str] = []
        while not (said and re.match(point, said[-1])):
            said.append(promotion.stderr.readline())
            assert said[-1], f"it never said {point!r}: {said}"
        promotion.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, promotion.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)  # it starts nothing more
        engines = psutil.Process(promotion.pid).children(recursive=True)
        promotion.kill()
    psutil.wait_procs(engines)
    return promotion.pid


def about(stage: Stage, stack: str) -> dict[str, Any]:
    """What `make status` says."""
    return result(stage, "status", stack)["stacks"][0]


def result(stage: Stage, *arguments: str) -> dict[str, Any]:
    with stage.ops(*arguments, "--json") as command:
        printed, said = command.communicate()
    assert command.returncode == 0, printed + said
    return json.loads(printed)
