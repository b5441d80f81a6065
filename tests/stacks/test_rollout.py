"""The traffic split, from the config and the outputs of the last deployment."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from stacks.config import StackConfig
from stacks.last_deployment import Newest
from stacks.rollout import KEPT_RELEASES, Rollout
from stacks.traffic import NOBODY, OUTPUTS, Release, Traffic
from tests.stacks.deployment import Deployment, deploy, newest_of

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
ARTIFACT, ROLLOUT, DOMAIN = (f"better-together:{key}" for key in ("artifact", "rollout", "domain"))
SERVICE = "cloudrunv2/service:Service"
LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


def outputs(stable: tuple[str, str], target: tuple[str, str], *older: tuple[str, str]) -> dict[str, Any]:
    """The outputs of a deployment, from (digest, revision)."""
    releases = tuple(Release(*one) for one in dict.fromkeys((target, stable, *older)))
    return Traffic(Release(*target), Release(*stable), 100, releases, "").outputs


def plan(before: dict[str, Any], built: str | None = None, rollout: int = 100, artifact: str | None = None) -> Rollout:
    config = SimpleNamespace(
        stack="aws", rollout=rollout, artifact=artifact or "build", rollout_holder=NOBODY, rollout_after=None
    )
    return Rollout.plan(cast(StackConfig, config), built, before, newest_of(before))


def split(traffic: Traffic) -> tuple[str, str, int]:
    return traffic.target.revision, traffic.stable.revision, traffic.percent


def test_the_first_deployment_has_nowhere_else_to_send_requests() -> None:
    assert split(plan({}, A, rollout=10).traffic("1", "")) == ("1", "1", 100)


def test_a_new_version_gets_its_share_until_the_rollout_is_over() -> None:
    first = plan({}, A).traffic("1", "")
    begun = plan(first.outputs, B, rollout=10).traffic("2", "")
    assert split(begun) == ("2", "1", 10)
    again = plan(begun.outputs, B, rollout=50).traffic("2", "")
    assert split(again) == ("2", "1", 50)
    over = plan(again.outputs, B).traffic("2", "")
    assert split(over) == ("2", "2", 100)
    assert split(plan(over.outputs, B, rollout=10).traffic("2", "")) == ("2", "2", 100)
    assert [release.digest for release in over.releases] == [B, A]


def test_a_version_on_top_of_an_unfinished_rollout_takes_its_place() -> None:
    unfinished = plan(outputs((A, "1"), (A, "1")), B, rollout=10).traffic("2", "")
    assert split(plan(unfinished.outputs, C, rollout=20).traffic("3", "")) == ("3", "1", 20)


def test_a_change_of_configuration_is_rolled_out_too() -> None:
    traffic = plan(outputs((A, "1"), (A, "1")), A, rollout=10).traffic("2", "")
    assert split(traffic) == ("2", "1", 10)
    assert traffic.releases == (Release(A, "2"),)
    assert split(plan(traffic.outputs, artifact=A, rollout=10).traffic("2", "")) == ("1", "1", 100)


def test_an_earlier_artifact_gets_the_requests_back() -> None:
    before = outputs((B, "2"), (B, "2"), (A, "1"))
    back = plan(before, artifact=A)
    assert split(back.traffic("2", "")) == ("1", "1", 100)
    assert split(plan(before, artifact=A, rollout=10).traffic("2", "")) == ("1", "2", 10)
    assert back.traffic("2", "").releases == (Release(B, "2"), Release(A, "1"))


def test_an_unfinished_rollout_is_called_off_at_once() -> None:
    assert split(plan(outputs((A, "1"), (B, "2")), artifact=A, rollout=10).traffic("2", "")) == ("1", "1", 100)


def test_a_pair_of_artifact_and_revision_is_new_until_a_deployment_has_seen_it_run() -> None:
    before = outputs((A, "1"), (B, "2"))
    assert not plan(before, B).is_new("2")
    assert plan(before, B).is_new("1"), "as after a publish that failed"
    assert plan(before, A).is_new("3"), "as after another one that failed"
    assert not plan(before, artifact=A).is_new("3")


def test_the_last_releases_are_kept() -> None:
    traffic = plan({}, A).traffic("0", "")
    for number in range(1, 15):
        traffic = plan(traffic.outputs, f"sha256:{number:064}").traffic(str(number), "")
    assert [release.revision for release in traffic.releases] == [str(number) for number in (14, 13, 12)]
    assert len(traffic.releases) == KEPT_RELEASES


def test_an_unfinished_rollout_is_no_release_once_another_has_begun() -> None:
    traffic = plan({}, A).traffic("1", "")
    for number in range(2, 6):
        traffic = plan(traffic.outputs, f"sha256:{number:064}", rollout=10).traffic(str(number), "")
        assert [release.revision for release in traffic.releases] == [str(number), "1"]
    over = plan(traffic.outputs, f"sha256:{5:064}").traffic("5", "")
    assert split(over) == ("5", "5", 100)
    assert [release.revision for release in over.releases] == ["5", "1"]
    assert split(plan(over.outputs, artifact=A).traffic("5", "")) == ("1", "1", 100)


def test_what_was_given_back_is_no_release_once_there_is_another_artifact() -> None:
    """It can be taken up again until then, and the release before the next one is the one that was good."""
    before = outputs((A, "2"), (B, "3"), (f"sha256:{1:064}", "1"))
    back = plan(before, artifact=A).traffic("3", "")
    assert [release.revision for release in back.releases] == ["3", "2", "1"]
    after = plan(back.outputs, C).traffic("4", "")
    assert [release.revision for release in after.releases] == ["4", "2", "1"]


def test_a_stable_release_that_the_releases_lack_stays_one() -> None:
    """As in the outputs of an older version of the program."""
    before = outputs((A, "1"), (B, "3")) | {"releases": [{"digest": B, "revision": "3"}]}
    over = plan(before, C).traffic("4", "")
    assert [release.revision for release in over.releases] == ["4", "1"]


def test_an_unfinished_rollout_of_the_stable_artifact_does_not_replace_it_among_the_releases() -> None:
    traffic = plan({}, A).traffic("1", "")
    traffic = plan(traffic.outputs, A, rollout=10).traffic("2", "")  # another configuration of the same artifact
    assert split(traffic) == ("2", "1", 10)
    over = plan(traffic.outputs, B).traffic("3", "")
    assert [release.revision for release in over.releases] == ["3", "1"]
    assert "1" in over.kept
    assert split(plan(over.outputs, artifact=A).traffic("3", "")) == ("1", "1", 100)


@pytest.mark.parametrize(
    ("before", "allowed"), [({}, "build"), (outputs((B, "2"), (B, "2"), (A, "1")), f"build, or one of {B}, {A}")]
)
def test_an_artifact_that_never_ran(before: dict[str, Any], allowed: str) -> None:
    with pytest.raises(pulumi.RunError) as error:
        deploy("aws", {ARTIFACT: C}, before=before)
    key = "Pulumi.aws.yaml: better-together:artifact"
    promote = "`make promote FROM=... TO=aws` brings artifacts of other stacks"
    assert str(error.value) == f"{key} is '{C}', which never ran here: it takes {allowed}; {promote}"


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_outputs_are_what_the_next_deployment_reads(cloud: str) -> None:
    first = deploy(cloud)
    second = deploy(cloud, {ROLLOUT: "10"}, before=first.outputs | {"stableRevision": "before"})
    assert second.outputs["stableRevision"] == "before"
    assert second.outputs["releases"] == first.outputs["releases"]
    assert {name for name in OUTPUTS if first.outputs[name] != second.outputs[name]} == {"stableRevision", "percent"}


@pytest.mark.parametrize(
    ("config", "version", "weights"),
    [
        ({}, "7", None),
        ({ROLLOUT: "10"}, "1", {"7": 0.1}),
        ({ROLLOUT: "0"}, "1", None),
        ({ARTIFACT: B, ROLLOUT: "0"}, "1", None),
        ({ARTIFACT: B}, "5", None),
        ({ARTIFACT: B, ROLLOUT: "29"}, "1", {"5": 0.29}),
        ({ARTIFACT: A, ROLLOUT: "10"}, "1", None),
    ],
)
def test_the_alias_shares_the_requests(config: dict[str, str], version: str, weights: dict[str, float] | None) -> None:
    alias = deploy("aws", config, before=outputs((A, "1"), (A, "1"), (B, "5"))).inputs("Alias")
    assert alias["functionVersion"] == version
    assert alias.get("routingConfig") == (weights and {"additionalVersionWeights": weights})


@pytest.mark.parametrize(
    ("config", "traffics"),
    [
        ({}, [(LATEST, None, 100, None)]),
        ({ROLLOUT: "10"}, [(LATEST, None, 10, "canary"), (REVISION, "r1", 90, None)]),
        ({ROLLOUT: "0"}, [(LATEST, None, 0, "canary"), (REVISION, "r1", 100, None)]),
        ({ARTIFACT: B}, [(REVISION, "r5", 100, None)]),
        ({ARTIFACT: B, ROLLOUT: "29"}, [(REVISION, "r5", 29, "canary"), (REVISION, "r1", 71, None)]),
        ({ARTIFACT: A, ROLLOUT: "10"}, [(REVISION, "r1", 100, None)]),
        ({ROLLOUT: "10", DOMAIN: "a.example.com"}, [(LATEST, None, 10, None), (REVISION, "r1", 90, None)]),
        ({ROLLOUT: "0", DOMAIN: "a.example.com"}, [(REVISION, "r1", 100, None)]),
    ],
)
def test_the_service_shares_the_requests(config: dict[str, str], traffics: list[tuple[Any, ...]]) -> None:
    before = outputs((A, "r1"), (A, "r1"), (B, "r5")) | {"url": "https://a.example.com"}  # closes the cloud's own URL
    stack = deploy("gcp", config, before=before)
    listed = stack.inputs(SERVICE)["traffics"]
    assert [(one["type"], one.get("revision"), one["percent"], one.get("tag")) for one in listed] == traffics
    tagged = "canary" in [one.get("tag") for one in listed]
    assert stack.outputs.get("canaryUrl") == ("https://canary---api.run.test" if tagged else None)


def test_a_rollout_of_nothing_new_has_no_canary() -> None:
    first = deploy("gcp")
    again = deploy("gcp", {ROLLOUT: "10"}, before=first.outputs)
    assert again.outputs == first.outputs


@pytest.mark.parametrize(("cloud", "kind"), [("aws", "lambda/function:Function"), ("gcp", SERVICE)])
def test_a_pinned_artifact_is_neither_built_nor_uploaded(
    cloud: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_build(root: object) -> None:
        raise AssertionError("built")

    monkeypatch.setattr("stacks.artifact.build", no_build)
    pinned = deploy(cloud, {ARTIFACT: A}, before=outputs((B, "2"), (B, "2"), (A, "1")))
    assert [r for r in pinned.resources if "BucketObject" in r.type] == []
    assert pinned.one(kind).ignored == (["*"] if cloud == "aws" else ["template"])
    assert (pinned.outputs["artifactDigest"], pinned.outputs["stableDigest"]) == (A, A)


def test_what_is_built_is_not_held_back(either: Deployment) -> None:
    assert [r for r in either.resources if r.ignored] == []


def test_archives_outlive_the_next_one(either: Deployment) -> None:
    kind = {"aws": "aws:s3/bucketObjectv2:BucketObjectv2", "gcp": "gcp:storage/bucketObject:BucketObject"}
    assert [r.type for r in either.resources if r.retained] == [kind[either.outputs["cloud"]]]


def failed(before: dict[str, Any], deployment: str) -> Newest:
    """What a deployment that failed has left in the state."""
    return replace(newest_of(before), deployment=deployment)


def made_by(stack: Deployment) -> str:
    """The id of the deployment that the newest revision carries."""
    if stack.outputs["cloud"] == "aws":
        return stack.inputs("lambda/function:Function")["description"]
    return stack.inputs(SERVICE)["template"]["annotations"]["deployment"]


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
@pytest.mark.parametrize(
    ("key", "value", "again"),
    [
        ("rollout", "10", True),
        ("alarmEmail", "ops@example.com", True),
        ("memoryMb", "2048", False),
        ("timeoutSeconds", "20", False),
        ("cacheTtlSeconds", "20", False),
    ],
)
def test_what_makes_a_revision_makes_another_deployment(cloud: str, key: str, value: str, again: bool) -> None:
    first = deploy(cloud).outputs
    second = deploy(cloud, {f"better-together:{key}": value}, before=first)
    assert (second.outputs["deployment"] == first["deployment"]) == again
    assert made_by(second) == second.outputs["deployment"]


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_a_preview_knows_the_deployment_that_it_is_of(cloud: str) -> None:
    before = deploy(cloud).outputs
    first, second = (made_by(deploy(cloud, {"better-together:memoryMb": "2048"}, before=before)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_after_a_deployment_that_failed_the_same_inputs_make_another(cloud: str) -> None:
    before = deploy(cloud).outputs
    tried = [before["deployment"]]
    for _ in range(3):
        again = deploy(cloud, {"better-together:memoryMb": "2048"}, before=before, newest=failed(before, tried[-1]))
        tried.append(made_by(again))
    assert len(set(tried)) == 4
    assert len({made.partition("-")[0] for made in tried[1:]}) == 1


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_a_revert_after_a_deployment_that_failed_is_made_and_made_again(cloud: str) -> None:
    """What was reverted to may fail as well, and then the state has its inputs."""
    before = deploy(cloud).outputs
    reverted = made_by(deploy(cloud, before=before, newest=failed(before, "another-1")))
    assert reverted != before["deployment"]
    again = made_by(deploy(cloud, before=before, newest=failed(before, reverted)))
    assert again not in (reverted, before["deployment"])


def test_a_rollback_keeps_the_deployment_of_the_newest_revision() -> None:
    before = deploy("aws").outputs
    pinned = deploy("aws", {ARTIFACT: A}, before=before | outputs((B, "2"), (B, "2"), (A, "1")) | {"deployment": "x-1"})
    assert pinned.outputs["deployment"] == "x-1"
