"""`artifact: promoted`: a plain `pulumi up` changes everything but the artifact and the traffic."""

from dataclasses import replace
from typing import Any

import pulumi
import pytest

from stacks.last_deployment import Newest
from tests.stacks.deployment import Deployment, deploy, newest_of

A, B = (f"sha256:{letter * 64}" for letter in "ab")
ARTIFACT, ROLLOUT = "better-together:artifact", "better-together:rollout"
PROMOTED = {ARTIFACT: "promoted"}
KINDS = {"aws": "lambda/function:Function", "gcp": "cloudrunv2/service:Service"}
SOURCE = {"aws": ["s3Bucket", "s3Key", "codeSha256"], "gcp": ["template.containers[0].sourceCode"]}
REVISIONS = {"aws": ("1", "7"), "gcp": ("r1", "api-00001-abc")}  # the last is what the mocked cloud makes next
both = pytest.mark.parametrize("cloud", ["aws", "gcp"])


@pytest.fixture(autouse=True)
def _no_build(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    def no_build(root: object) -> None:
        raise AssertionError("built")

    monkeypatch.setattr("stacks.artifact.build", no_build)


def rolling_out(cloud: str, percent: int = 10) -> dict[str, Any]:
    """The outputs while artifact B takes over from A, as a promotion leaves them between its steps."""
    old, new = REVISIONS[cloud]
    return {
        "artifactDigest": B,
        "revision": new,
        "stableDigest": A,
        "stableRevision": old,
        "percent": percent,
        "releases": [{"digest": B, "revision": new}, {"digest": A, "revision": old}],
        "deployment": "b-2",
        "rolloutBy": "ann@host:1",
        "rolloutUntil": "2036-11-26T16:00:00Z",
    }


def complete(cloud: str) -> dict[str, Any]:
    _, new = REVISIONS[cloud]
    done = {"stableDigest": B, "stableRevision": new, "percent": 100, "rolloutBy": "", "rolloutUntil": ""}
    return rolling_out(cloud) | done


def about_revisions(stack: Deployment) -> dict[str, Any]:
    return {name: stack.outputs[name] for name in rolling_out("aws") if name != "deployment"}


def without(outputs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in outputs.items() if name != "deployment"}


@both
@pytest.mark.parametrize("before", [complete, rolling_out], ids=["complete", "unfinished"])
def test_the_outputs_say_what_runs_and_how_much(cloud: str, before: Any) -> None:
    run_keys = {"rolloutBy": "bob@host:2", "rolloutUntil": "2037-01-01T00:00:00Z", "rolloutAfter": "ann@host:1"}
    ignored = {ROLLOUT: "70"} | {f"better-together:{key}": value for key, value in run_keys.items()}
    for config in (PROMOTED, PROMOTED | ignored):
        stack = deploy(cloud, config, before=before(cloud))
        assert about_revisions(stack) == without(before(cloud))
        assert stack.one(KINDS[cloud]).ignored == SOURCE[cloud]
        assert not [r for r in stack.resources if "BucketObject" in r.type]


@both
def test_nothing_is_published_after_a_promotion_and_a_changed_key_is(cloud: str) -> None:
    before = deploy(cloud, PROMOTED, before=complete(cloud)).outputs
    same = deploy(cloud, PROMOTED, before=before)
    assert same.outputs == before
    changed = deploy(cloud, PROMOTED | {"better-together:memoryMb": "2048"}, before=before)
    assert "2048" in str(changed.inputs(KINDS[cloud]))
    assert changed.outputs["deployment"] != before["deployment"]


@both
def test_the_deployment_does_not_depend_on_where_the_archive_is(cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    built = deploy(cloud).outputs
    assert deploy(cloud, PROMOTED, before=built).outputs == built


@both
def test_a_changed_key_in_a_rollout_keeps_the_percent(cloud: str) -> None:
    before = rolling_out(cloud)
    older = {"revision": "5", "releases": [{"digest": B, "revision": "5"}, before["releases"][1]]}
    stack = deploy(cloud, PROMOTED | {"better-together:memoryMb": "2048"}, before=before | older)
    assert about_revisions(stack) == without(before)


@both
def test_after_a_rollback_the_older_revision_keeps_the_requests(cloud: str) -> None:
    old, new = REVISIONS[cloud]
    back = complete(cloud) | {"artifactDigest": A, "revision": old, "stableDigest": A, "stableRevision": old}
    of_another = Newest(B, new, "b-2")
    of_the_same = Newest(A, new, "b-2")  # but of another configuration
    for newest in (of_another, of_the_same):
        stack = deploy(cloud, PROMOTED, before=back, newest=newest)
        assert about_revisions(stack) == without(back)
        assert stack.one(KINDS[cloud]).ignored == (["*"] if cloud == "aws" else ["template"])


@both
def test_after_a_promotion_that_failed_the_outputs_still_say_what_runs(cloud: str) -> None:
    before = complete(cloud)
    stack = deploy(cloud, PROMOTED, before=before, newest=Newest(A, "9" if cloud == "aws" else "r9", "a-3"))
    assert about_revisions(stack) == without(before)
    assert stack.one(KINDS[cloud]).ignored == (["*"] if cloud == "aws" else ["template"])


@both
def test_a_changed_key_that_failed_is_tried_again(cloud: str) -> None:
    before = complete(cloud)
    failed = replace(newest_of(before), revision="6" if cloud == "aws" else "r6", deployment="b-3")
    stack = deploy(cloud, PROMOTED, before=before, newest=failed)
    assert stack.one(KINDS[cloud]).ignored == SOURCE[cloud]
    assert stack.outputs["deployment"] not in ("b-2", "b-3", "")


@both
def test_where_nothing_ran_yet_it_is_one_line(cloud: str) -> None:
    with pytest.raises(pulumi.RunError) as error:
        deploy(cloud, PROMOTED)
    what = f"Pulumi.{cloud}.yaml: better-together:artifact is 'promoted', but nothing ran here yet"
    assert str(error.value) == f"{what}: `make promote FROM=... TO={cloud}`, or set build"
