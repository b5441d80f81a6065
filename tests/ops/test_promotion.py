"""What a promotion says, and leaves behind, when something goes wrong in the middle of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops import archive, engine, holder, promotion, request_log, rollout
from ops.__main__ import main
from ops.engine import UpFailed
from ops.report import Report
from ops.request_log import Request
from ops.stack import Stack, UsageError
from tests.ops.conftest import DIGEST

NEW, OLD, GIVEN_BACK = (f"sha256:{digit * 64}" for digit in "234")
ELSEWHERE = "bob@another-host:2"
PLAN = {"steps": [10, 50], "stepSeconds": 0, "minRequests": 20, "maxErrors": 1, "maxSlowdown": 2}
PLACE = {"cloud": "aws", "url": "https://a.example", "bucket": "b", "rolloutPlan": PLAN}
RELEASES = [{"digest": digest, "revision": digest[-1]} for digest in (GIVEN_BACK, NEW, OLD)]
SOURCE = PLACE | {
    "artifactDigest": NEW,
    "revision": "2",
    "stableDigest": NEW,
    "stableRevision": "2",
    "releases": RELEASES,
}
UNFINISHED = {"artifactDigest": GIVEN_BACK, "revision": "4"}
GOOD = [Request(failed=False, milliseconds=10, cold=False, at=0)] * 20
NOBODY = {"rolloutBy": "", "rolloutUntil": ""}
COMPLETE = {"artifactDigest": DIGEST, "revision": "1", "stableDigest": DIGEST, "stableRevision": "1", "percent": 100}


type Promote = Callable[..., tuple[int, "Engine"]]


class Engine:
    """Keeps the outputs of the stack that is promoted to. `before_up` is called in each `pulumi up`."""

    def __init__(self, outputs: Mapping[str, Any]) -> None:
        self.outputs = dict(outputs)
        self.ups: list[tuple[str, str]] = []
        self.before_up: Callable[[Engine], None] = lambda engine: None
        self.unreadable_after = 99  # ups

    def up(self, stack: Stack, settings: Mapping[str, str]) -> None:
        self.ups.append((settings["artifact"], settings["rollout"]))
        self.before_up(self)
        digest, percent = settings["artifact"], int(settings["rollout"])
        revision = "1" if digest == DIGEST else "2"
        stable = {name: self.outputs.get(name) for name in ("stableDigest", "stableRevision")}
        self.outputs = PLACE | self.outputs | {"artifactDigest": digest, "revision": revision, "percent": percent}
        by = settings["rolloutBy"].replace("none", "")
        self.outputs |= {"rolloutBy": by, "rolloutUntil": settings["rolloutUntil"]}
        if percent == 100 or not stable["stableDigest"]:
            stable = {"stableDigest": digest, "stableRevision": revision}
            self.outputs |= {"percent": 100, **NOBODY}
        self.outputs |= stable

    def beside(self, *names: str) -> Stack:
        if len(self.ups) >= self.unreadable_after:
            raise UsageError("pulumi says: no network")
        return Stack(names[-1], dict(self.outputs))


def refuse(message: str) -> Callable[..., Any]:
    """A function that raises UsageError."""

    def refused(*_: Any) -> Any:
        raise UsageError(message)

    return refused


def always(result: Any) -> Callable[..., Any]:
    """A function that returns it."""

    def answer(*_: Any) -> Any:
        return result

    return answer


@pytest.fixture
def promote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Promote:
    """Promotes NEW to a stack with these outputs, and returns the exit code."""
    monkeypatch.setattr(promotion, "running", always(NEW))
    monkeypatch.setattr(archive, "download", always(tmp_path))
    monkeypatch.setattr(archive, "check_arrival", always(None))
    for module in (rollout, promotion):
        monkeypatch.setattr(module, "check_newest", always(Report()))
    monkeypatch.setattr(Stack, "find", always(Stack("aws", SOURCE)))

    def promote(
        outputs: Mapping[str, Any], to: str = "aws-prod", arguments: Sequence[str] = (), **given: Any
    ) -> tuple[int, Engine]:
        target = Engine(outputs)
        vars(target).update(given)
        monkeypatch.setattr(engine, "up", target.up)
        monkeypatch.setattr(Stack, "beside", target.beside)
        return main(["promote", *arguments, "aws", to]), target

    return promote


def test_what_cannot_be_verified_is_held(
    promote: Promote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rollout, "check_newest", refuse("AccessDenied"))
    code, target = promote(COMPLETE)
    assert (code, target.ups, target.outputs["percent"]) == (3, [(NEW, "0"), (NEW, "0")], 0)
    assert capsys.readouterr().out.splitlines()[-1] == "held: AccessDenied"


def test_what_is_held_has_a_deadline_and_no_holder(promote: Promote, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever promotes again, on any computer, goes on."""
    monkeypatch.setattr(request_log, "read", refuse("the log cannot be read"))
    code, target = promote(COMPLETE)
    assert (code, target.ups) == (3, [(NEW, "0"), (NEW, "10"), (NEW, "10")])
    assert target.outputs["rolloutBy"] == ""
    assert not holder.is_overdue(target.outputs)
    monkeypatch.setattr(request_log, "read", always(GOOD))
    code, target = promote(target.outputs)
    assert (code, target.ups) == (0, [(NEW, "10"), (NEW, "50"), (NEW, "100")])


def test_a_log_that_could_not_be_read_once_is_read_again(promote: Promote, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([refuse("no network")])

    def read(*asked: Any) -> list[Request]:
        return next(answers, always(GOOD))(*asked)

    monkeypatch.setattr(request_log, "read", read)
    code, target = promote(COMPLETE)
    assert (code, target.outputs["percent"]) == (0, 100)


def test_a_slow_log_is_read_to_the_end_of_the_step(promote: Promote, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 0.0

    def sleep(more: float) -> None:
        nonlocal seconds
        seconds += more

    def read(stack: Stack, revision: str, since: float, until: float) -> list[Request]:
        """The canary gets a request each second, and fails those shortly before the end."""
        sleep(10)
        fails_at = since + 54 if revision == "2" else until
        sent = range(int(since), int(until))
        return [Request(failed=at >= fails_at, milliseconds=10, cold=False, at=at) for at in sent]

    monkeypatch.setattr(rollout, "time", SimpleNamespace(time=lambda: seconds, monotonic=lambda: seconds, sleep=sleep))
    monkeypatch.setattr(request_log, "read", read)
    monkeypatch.setitem(PLAN, "stepSeconds", 60)
    code, target = promote(COMPLETE)
    assert (code, target.ups) == (1, [(NEW, "0"), (NEW, "10"), (DIGEST, "100")])


def test_a_revision_that_was_not_judged_gets_no_more(promote: Promote, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain `pulumi up` with another key makes a revision in the middle of a step."""
    targets: list[Engine] = []

    def read(*asked: Any) -> list[Request]:
        targets[0].outputs["revision"] = "3"
        return GOOD

    monkeypatch.setattr(request_log, "read", read)
    code, target = promote(COMPLETE, before_up=targets.append)
    assert (code, target.ups) == (3, [(NEW, "0"), (NEW, "10"), (NEW, "10")])


def test_a_stack_that_is_destroyed_meanwhile_stays_so(
    promote: Promote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    targets: list[Engine] = []

    def read(*asked: Any) -> list[Request]:
        targets[0].outputs = {}
        return GOOD

    monkeypatch.setattr(request_log, "read", read)
    code, target = promote(COMPLETE, before_up=targets.append)
    assert (code, target.ups) == (3, [(NEW, "0"), (NEW, "10")])
    held = "held: stack aws-prod of `pulumi stack output` has been destroyed meanwhile"
    assert capsys.readouterr().out.splitlines()[-1] == held


def test_what_runs_already_is_checked_again(promote: Promote, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = PLACE | COMPLETE | NOBODY | {"artifactDigest": NEW, "stableDigest": NEW}
    assert promote(runs)[0] == 0
    report = Report()
    report.line("WRONG", "digest", "another")
    monkeypatch.setattr(promotion, "check_newest", always(report))
    code, target = promote(runs)
    assert (code, target.ups) == (1, [])


def test_outputs_that_cannot_be_read_after_a_move_hold(promote: Promote) -> None:
    code, target = promote(COMPLETE, unreadable_after=1)
    assert (code, len(target.ups)) == (3, 1)


def test_a_mistake_before_the_first_move_changes_nothing(promote: Promote) -> None:
    def no_pulumi(target: Engine) -> None:
        raise UsageError("`pulumi` is not on PATH: install it")

    code, target = promote(COMPLETE, before_up=no_pulumi)
    assert (code, target.outputs) == (2, COMPLETE)


@pytest.mark.parametrize(
    ("outputs", "artifact", "chosen"),
    [
        ({}, None, NEW),
        ({}, NEW, NEW),
        ({}, OLD, OLD),
        (UNFINISHED, NEW, NEW),
        (UNFINISHED, OLD, OLD),
        ({"revision": "5"}, NEW, NEW),  # its next configuration is being rolled out
    ],
)
def test_what_can_be_promoted(promote: Promote, outputs: dict[str, str], artifact: str | None, chosen: str) -> None:
    """What runs, and a release whose rollout has completed, also while another one is being rolled out."""
    assert promotion.promotable(Stack("aws", SOURCE | outputs), Stack("aws-prod", {}), artifact, first=True) == chosen


@pytest.mark.parametrize("artifact", [DIGEST, GIVEN_BACK])
def test_what_was_given_back_or_never_ran_is_refused(promote: Promote, artifact: str) -> None:
    refusal = f"{artifact} is not among the completed releases of stack aws .*: promote one of {NEW}, {OLD}$"
    with pytest.raises(UsageError, match=refusal):
        promotion.promotable(Stack("aws", SOURCE), Stack("aws-prod", {}), artifact, first=False)


@pytest.mark.parametrize(
    ("artifact", "refusal"),
    [
        (None, f"has an unfinished rollout of {GIVEN_BACK}: finish it, or roll it back"),
        (GIVEN_BACK, f"promote one of {NEW}, {OLD}$"),
    ],
)
def test_an_unfinished_rollout_is_not_promoted(artifact: str | None, refusal: str) -> None:
    with pytest.raises(UsageError, match=refusal):
        promotion.promotable(Stack("aws", SOURCE | UNFINISHED), Stack("aws-prod", {}), artifact, first=False)


def test_the_archive_is_that_of_the_artifact(promote: Promote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def download(stack: Stack, digest: str, folder: Path) -> Path:
        asked.append(digest)
        return tmp_path

    monkeypatch.setattr(archive, "download", download)
    code, target = promote({}, arguments=["--artifact", OLD])
    assert (code, asked, target.ups) == (0, [OLD], [(OLD, "0")])


def test_the_first_promotion_is_only_to_a_stack_that_never_came_up(
    promote: Promote, capsys: pytest.CaptureFixture[str]
) -> None:
    code, target = promote(COMPLETE, arguments=["--first"])
    assert (code, target.ups) == (2, [])
    refusal = f"runs {DIGEST}, so this is not its first promotion: deploy a plan, and promote without `first`"
    assert capsys.readouterr().err.strip() == f"stack aws-prod of `pulumi stack output` {refusal}"
    code, target = promote({}, arguments=["--first"])
    assert (code, target.ups) == (0, [(NEW, "0")])


def test_a_dry_run_changes_nothing(promote: Promote, capsys: pytest.CaptureFixture[str]) -> None:
    code, target = promote(COMPLETE, arguments=["--dry-run"])
    assert (code, target.ups) == (0, [])
    assert capsys.readouterr().out.strip() == f"stack aws-prod of `pulumi stack output` would get {NEW}"


@pytest.mark.parametrize("arguments", [["--artifact", DIGEST], ["--first"]])
def test_a_dry_run_refuses_what_a_promotion_refuses(
    promote: Promote, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert promote(COMPLETE, arguments=arguments)[0] == 2
    refusal = capsys.readouterr().err
    assert promote(COMPLETE, arguments=[*arguments, "--dry-run"])[0] == 2
    assert capsys.readouterr().err == refusal


def test_a_dry_run_refuses_a_stack_that_another_promotion_moves(promote: Promote) -> None:
    held = {"artifactDigest": NEW, "revision": "2", "rolloutBy": ELSEWHERE, "rolloutUntil": holder.deadline(60)}
    assert promote(COMPLETE | held, arguments=["--dry-run"])[0] == 2


def test_a_first_deployment_that_is_wrong_has_nothing_to_go_back_to(
    promote: Promote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report()
    report.line("WRONG", "digest", "another")
    monkeypatch.setattr(rollout, "check_newest", always(report))
    code, target = promote({})
    assert (code, target.ups) == (1, [(NEW, "0")])
    assert capsys.readouterr().out.splitlines()[-1] == "failed: digest: another; nothing ran here before"


def test_a_promotion_that_fails_gives_back(promote: Promote) -> None:
    def fails(target: Engine) -> None:
        if len(target.ups) == 1:
            raise UpFailed("Lambda is down")

    code, target = promote(COMPLETE, before_up=fails)
    assert (code, target.ups) == (1, [(NEW, "0"), (DIGEST, "100")])


def test_what_another_promotion_has_finished_is_not_given_back(
    promote: Promote, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both have begun at the same time: this one waited for the other one's `pulumi up`, and was refused."""
    other = {"artifactDigest": "sha256:" + "3" * 64, "percent": 50, "rolloutBy": ELSEWHERE}

    def refused(target: Engine) -> None:
        target.outputs |= other
        raise UpFailed(f"stack aws-prod is being rolled out by {ELSEWHERE}")

    code, target = promote(COMPLETE, before_up=refused)
    assert (code, target.ups, target.outputs) == (1, [(NEW, "0")], COMPLETE | other)
    assert capsys.readouterr().out.splitlines()[-1] == f"overtaken: stack aws-prod is being rolled out by {ELSEWHERE}"


def test_a_step_without_requests_and_a_url_for_the_canary_waits_twice_and_holds(
    promote: Promote, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(request_log, "read", always([]))
    monkeypatch.setattr(Stack, "find", always(Stack("gcp", SOURCE | {"cloud": "gcp"})))
    code, target = promote(COMPLETE | PLACE | {"cloud": "gcp"})
    said = capsys.readouterr().out.splitlines()
    assert (code, target.outputs["percent"]) == (3, 1)
    assert sum(line.startswith("1 %: inconclusive") for line in said) == 2


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("gcp-prod", "stack aws of .* is on aws, stack gcp-prod of .* on gcp: promote within one cloud"),
        ("aws-nowhere", "Pulumi.aws-nowhere.yaml cannot be read: .*"),
    ],
)
def test_a_stack_that_never_came_up_and_cannot_get_it(
    promote: Promote, capsys: pytest.CaptureFixture[str], target: str, why: str
) -> None:
    code, reached = promote({}, to=target)
    assert (code, reached.ups) == (2, [])
    assert re.fullmatch(why, capsys.readouterr().err.strip())
