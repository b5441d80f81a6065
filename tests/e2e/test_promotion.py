"""Good and bad builds are promoted under traffic, on both clouds."""

from dataclasses import replace

from rehearsal.plan import Plan
from rehearsal.stage import Stage
from tests.tiers import cases

# With one unanswered request at a time, a busy computer gets fewer, and none waits for another process to start. The
# judge looks ten times in a step, and rolls back at once. What it needs to see is counted out by rehearsal/fault.py:
# of 560 requests, half of which the canary gets, 14 are wrong, and 2^-14 is less than it leaves to chance; of writes it
# needs a fifth. A step has time for a multiple of them, at the plan's rate, which is low: each request takes 20 ms of a
# processor's time, also while the engine is at work.
PLAN = Plan(steps="50", step_seconds=187, min_requests=20, rate=15, most=1, around=25)
PLANS = {
    "good": replace(PLAN, step_seconds=20, max_slowdown=10, rate=5),
    "writes": replace(PLAN, step_seconds=112, rate=10),
    "dead": replace(PLAN, rate=5),
    "late": replace(PLAN, steps="10,50", step_seconds=30, rate=50),
}
# Its stage promotes a good build, without traffic, and test_rollout.py rolls one out under traffic.
SHOWN = [("gcp", "writes")]
SCENES = [
    *SHOWN,
    *(
        ("gcp", "good"),
        ("aws", "good"),
        ("aws", "errors"),
        ("gcp", "late"),
        ("aws", "slow"),
        ("gcp", "dead"),
        ("gcp", "errors"),
    ),
    *(("aws", "writes"), ("aws", "late"), ("gcp", "slow"), ("aws", "dead")),
]


@cases("cloud, build", SCENES, test=len(SHOWN))
def test_a_promotion_under_traffic(stage: Stage, cloud: str, build: str) -> None:
    scene = stage.play(cloud, build, PLANS.get(build, PLAN))
    assert list(scene.wrong()) == []
    assert bool(scene.failed) == (build in {"errors", "writes", "late"})
