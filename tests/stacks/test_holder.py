"""Two promotions of one stack: the second is refused with the first one's name, unless that is overdue."""

from typing import Any

import pulumi
import pytest

from tests.stacks.deployment import Deployment, deploy

LATER, PASSED = "2036-11-26T16:00:00Z", "2026-01-01T00:00:00Z"
ANN, BOB = "ann@host:1", "bob@host:2"
KEYS = {"by": "rolloutBy", "until": "rolloutUntil", "after": "rolloutAfter"}


def roll_out(before: dict[str, Any], artifact: str = "build", **holder: str) -> Deployment:
    keys = {KEYS[key]: value for key, value in holder.items()} | {"rollout": "10", "artifact": artifact}
    return deploy("aws", {f"better-together:{key}": value for key, value in keys.items()}, before=before)


@pytest.fixture(scope="module")
def held() -> dict[str, Any]:
    """The outputs while Ann rolls the newest version out."""
    first = deploy("aws").outputs | {"stableRevision": "1"}
    return roll_out(first, by=ANN, until=LATER).outputs


def test_the_outputs_name_the_holder(held: dict[str, Any]) -> None:
    assert (held["percent"], held["rolloutBy"], held["rolloutUntil"]) == (10, ANN, LATER)


def test_the_holder_goes_when_the_rollout_is_complete() -> None:
    complete = roll_out(deploy("aws").outputs, by=ANN, until=LATER).outputs
    assert (complete["percent"], complete["rolloutBy"], complete["rolloutUntil"]) == (100, "", "")


@pytest.mark.parametrize("holder", [{}, {"by": BOB, "until": LATER}])
def test_somebody_else_is_refused_in_one_line(held: dict[str, Any], holder: dict[str, str]) -> None:
    for artifact in ("build", held["stableDigest"], "sha256:" + "0" * 64):
        with pytest.raises(pulumi.RunError) as error:
            roll_out(held, artifact, **holder)
        assert str(error.value) == (
            f"stack aws is being rolled out by {ANN}, until {LATER}: wait, as `make status STACK=aws` shows, "
            "or end it with `make rollback STACK=aws`"
        )


@pytest.mark.parametrize(
    ("changes", "now"),
    [
        ({}, f"{ANN} is rolling out"),
        ({"rolloutUntil": PASSED}, f"{ANN} is rolling out"),
        ({"rolloutBy": "", "rolloutUntil": ""}, "it was finished or rolled back"),
    ],
)
def test_a_promotion_that_was_overtaken_is_refused(held: dict[str, Any], changes: dict[str, str], now: str) -> None:
    with pytest.raises(pulumi.RunError) as error:
        roll_out(held | changes, by=BOB, until=LATER, after=BOB)
    assert str(error.value) == f"stack aws is no longer rolled out by {BOB}: {now}"


@pytest.mark.parametrize(
    ("holder", "name"),
    [
        ({"by": ANN, "until": LATER}, ANN),
        ({"by": BOB, "until": LATER, "after": ANN}, BOB),
        ({"after": ANN}, ""),
    ],
)
def test_the_holder_and_who_takes_over_go_on(held: dict[str, Any], holder: dict[str, str], name: str) -> None:
    assert roll_out(held, **holder).outputs["rolloutBy"] == name


def test_an_overdue_holder_stops_nobody(held: dict[str, Any]) -> None:
    overdue = held | {"rolloutUntil": PASSED}
    assert roll_out(overdue, by=BOB, until=LATER).outputs["rolloutBy"] == BOB
    assert roll_out(overdue).outputs["rolloutBy"] == ""


def test_a_plain_up_of_what_is_promoted_leaves_the_holder(held: dict[str, Any]) -> None:
    outputs = roll_out(held, "promoted").outputs
    assert (outputs["percent"], outputs["rolloutBy"], outputs["rolloutUntil"]) == (10, ANN, LATER)
