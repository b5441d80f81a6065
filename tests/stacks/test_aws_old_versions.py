"""`pulumi up` warns of versions that `make prune` would delete, where SnapStart makes them expensive."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from tests.stacks.deployment import CALLS, deploy

ROLLOUT, SNAP_START = "better-together:rollout", "better-together:snapStart"
ON = {SNAP_START: "true"}
NEWEST = 7  # what the mocked cloud publishes


def outputs(stable: int, *releases: int) -> dict[str, Any]:
    kept = [{"digest": f"sha256:{number:064}", "revision": str(number)} for number in releases]
    return {"stableDigest": f"sha256:{stable:064}", "stableRevision": str(stable), "releases": kept}


def warnings(
    caplog: pytest.LogCaptureFixture,
    versions: Collection[int],
    config: Mapping[str, str] = ON,
    before: Mapping[str, Any] | None = None,
) -> tuple[list[str], list[int]]:
    """The warnings of a deployment while the function has these versions, and which versions it asked for."""
    asked: list[int] = []

    def get_function(arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
        assert arguments["functionName"] == "better-together-aws"
        asked.append(int(arguments["qualifier"]))
        return {"memorySize": 1024} if asked[-1] in versions else None

    caplog.clear()
    deploy("aws", config, before=before, calls={**CALLS, "aws:lambda/getFunction:getFunction": get_function})
    return caplog.messages, asked


def warning(count: str, dollars: str) -> str:
    bill = f"for whose snapshots AWS bills up to ${dollars} a month at the price of us-east-1"
    return f"old versions of better-together-aws: {count}, {bill}: `make prune STACK=aws` deletes them"


def test_old_versions_are_counted_with_their_price(caplog: pytest.LogCaptureFixture) -> None:
    every = range(1, NEWEST + 1)
    assert warnings(caplog, every) == ([warning("6", "23.40")], [6, 5, 4, 3, 2, 1])
    before = outputs(5, 6, 5, 4)
    assert warnings(caplog, every, before=before) == ([warning("4", "15.60")], [6, 3, 2, 1])
    assert warnings(caplog, every, ON | {ROLLOUT: "10"}, outputs(2, 6, 2)) == ([warning("5", "19.50")], [6, 5, 4, 3, 1])


def test_after_a_prune_there_is_nothing_to_warn_of(caplog: pytest.LogCaptureFixture) -> None:
    assert warnings(caplog, [NEWEST]) == ([], [6])
    assert warnings(caplog, [4, 5, 6, 7], before=outputs(5, 6, 5)) == ([warning("2", "7.80")], [6, 4, 3])


def test_it_stops_at_fifty(caplog: pytest.LogCaptureFixture) -> None:
    [found], asked = warnings(caplog, range(1, 121), ON | {ROLLOUT: "10"}, outputs(120, 120, 119))
    assert found == warning("50 or more", "195.00")
    assert asked == list(range(118, 68, -1))


def test_without_snap_start_nobody_asks(caplog: pytest.LogCaptureFixture) -> None:
    assert warnings(caplog, range(1, NEWEST + 1), {}) == ([], [])


def test_a_deployment_goes_on_when_nobody_answers(caplog: pytest.LogCaptureFixture) -> None:
    stack = deploy("aws", ON, calls=CALLS)
    assert stack.outputs["revision"] == str(NEWEST)
    assert caplog.messages == []
