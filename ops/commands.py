"""The commands. Each returns its exit code, and its result for `--json`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.names import all_named, named
from ops.stack import Stack, UsageError
from ops.terminal import say

if TYPE_CHECKING:
    from ops.report import Report
    from ops.target import Target

type Result = tuple[int, dict[str, Any]]

WRONG = ("rolled back", "not rolled back", "failed", "overtaken")
CODES = {"promoted": 0, "unchanged": 0, **dict.fromkeys(WRONG, 1), "held": 3}


def check(stack: str | None, url: str | None, home: Path, *, write: bool) -> Result:
    from ops.check import check

    report = check(_target(stack, url, home), write=write)
    say(report.summary)
    return _checked(report)


def _target(stack: str | None, url: str | None, home: Path) -> "Target":
    from ops.target import Target

    if url and not stack:
        return Target.of_url(url)
    if stack and not url:
        return Target.of_stack(Stack.find(named(stack), home))
    raise UsageError("name a stack or a URL: make check STACK=aws, or make check URL=https://...")


def verify(name: str, home: Path) -> Result:
    from ops.check import check_newest

    report = check_newest(Stack.find(named(name), home))
    say(report.summary)
    return _checked(report)


def _checked(report: "Report") -> Result:
    return int(bool(report.wrong)), {"summary": report.summary, "checks": report.lines}


def promote(source: str, target: str, home: Path, *, artifact: str | None, first: bool, dry_run: bool) -> Result:
    from ops.promotion import promotable, promote

    origin = Stack.find(named(source), home)
    stack = Stack.beside(origin, named(target))
    digest = promotable(origin, stack, artifact, first=first)
    if dry_run:
        say(f"{stack.title} would get {digest}")
        return 0, {"artifact": digest}
    result = promote(origin, stack, digest)
    say(f"{result['outcome']}: {result['reason']}")
    return CODES[result["outcome"]], result


def rollback(name: str, home: Path, *, to: str | None) -> Result:
    return _rolled_back(Stack.find(named(name), home), to)


def _rolled_back(stack: Stack, to: str | None) -> Result:
    from ops.engine import UpFailed
    from ops.promotion import rollback

    try:
        result = rollback(stack, to)
    except UpFailed as error:
        say(f"not rolled back: {error}")
        return 1, {"outcome": "not rolled back", "reason": str(error)}
    say(f"{result['outcome']}: {result['reason']}")
    return 0, result


def status(names: Sequence[str], home: Path, *, mend: bool) -> Result:
    """A stack that cannot be read or mended does not keep the others from it."""
    found: list[dict[str, Any]] = []
    for name in all_named(names):
        try:
            about = _about(name, home, mend=mend)
        except UsageError as error:
            about = {"stack": name, "state": "unknown", "error": str(error)}
        found.append(about)
        say("  ".join(f"{key} {value}" for key, value in about.items()))
    states = {about["state"] for about in found}
    return 1 if "overdue" in states else 2 if "unknown" in states else 0, {"stacks": found}


def _about(name: str, home: Path, *, mend: bool) -> dict[str, Any]:
    """What `status` says of the stack, after giving back what is overdue with `mend`. Raises UsageError."""
    from ops.status import describe

    about = describe(stack := Stack.find(name, home))
    if mend and about["state"] == "overdue":
        _rolled_back(stack, None)  # as it was, since another promotion may have finished it meanwhile
        about = describe(Stack.find(name, home))
    return about


def preview(names: Sequence[str], home: Path, *, out: Path, artifact: str | None) -> Result:
    from ops import github, sealed_plan
    from ops.engine import UpFailed
    from ops.plan_comment import comment, summary

    try:
        plans = [sealed_plan.SealedPlan.make(Stack.to_plan(name, home)) for name in all_named(names)]
    except UpFailed as error:
        say(f"no plan: {error}")
        return 1, {"error": str(error)}
    for plan in plans:
        if artifact not in (None, plan.plan.artifact):
            raise UsageError(
                f"{plan.stack}: the plan is of {plan.plan.artifact}, not of {artifact}: plan in the checkout that "
                "it was built from, and without the key artifact in the stack's file"
            )
    digest = sealed_plan.write(out, plans)
    github.report(digest, comment(plans, digest))
    for plan in plans:
        say(f"{plan.stack}: {summary(plan)}")
    say(f"{out}: {digest}")
    return 0, {"file": str(out), "digest": digest, "stacks": {plan.stack: summary(plan) for plan in plans}}


def comment(plan: Path, home: Path, *, head: str | None, commit: str | None) -> Result:
    from ops import github, plan_comment, sealed_plan

    try:
        text = plan_comment.comment(*sealed_plan.read(plan), commit)
    except UsageError as error:
        if not (head and commit):
            raise
        text = plan_comment.no_plan(commit, str(error))
    if head and commit:
        say(url := github.put_comment(text, plan_comment.MARK, head, commit))
        return 0, {"comment": text, "url": url}
    say(text)
    return 0, {"comment": text}


def deploy(plan: Path, home: Path, *, digest: str | None) -> Result:
    from ops import sealed_plan
    from ops.deploy import deploy
    from ops.engine import UpFailed

    plans, found = sealed_plan.read(plan)
    if digest not in (None, found):
        raise UsageError(f"{plan} is not the plan that was approved: it has {found}, not {digest}")
    try:
        return 0, deploy(plans, home)
    except UpFailed as error:
        say(f"failed: {error}")
        return 1, {"error": str(error)}


def drift(names: Sequence[str], home: Path) -> Result:
    from ops.drift import has_drifted

    drifted = [stack.name for stack in [Stack.find(name, home) for name in all_named(names)] if has_drifted(stack)]
    say(f"drifted: {', '.join(drifted)}" if drifted else "nothing has drifted")
    return int(bool(drifted)), {"drifted": drifted}


def prune(name: str, home: Path) -> Result:
    from ops.prune import prune

    stack = Stack.find(named(name), home)
    if (cloud := stack.outputs.get("cloud")) != "aws":
        reason = "Google Cloud bills no old revisions" if cloud else "it has not come up"
        say(f"{stack.title}: nothing to delete, since {reason}")
        return 0, {"lines": []}
    say(f"{stack.title}: {stack.output('service')}")
    lines: list[str] = []
    for line in prune(stack):
        say(line)
        lines.append(line)
    if not lines:
        say("nothing to delete")
    return 0, {"lines": lines}


def create(name: str, hours: str, home: Path) -> Result:
    from ops.create import create

    made = create(name, hours)
    for one in made:
        say(f"stack {one['stack']} expires {one['expires']}: `pulumi up --policy-pack policy -s {one['stack']}`")
    return 0, {"stacks": made}


def reap(home: Path, *, dry_run: bool) -> Result:
    from ops.reap import OfBackend, OfLaptop, reap

    on_laptop = Stack.on_local_clouds(home) is not None
    say(f"the stacks of {'the local clouds' if on_laptop else 'the backend'}")
    found = reap(OfLaptop(home) if on_laptop else OfBackend(), dry_run=dry_run)
    return int(any(one["outcome"] == "failed" for one in found)), {"stacks": found}


def recover(name: str, home: Path, *, force: bool) -> Result:
    from ops.engine import UpFailed
    from ops.recover import recover

    name = named(name)
    if any(stack.name == name for stack in Stack.on_local_clouds(home) or []):
        left = f"nothing to do: `make up STACK={name}` heals a stack on the local clouds by itself"
        say(left)
        return 0, {"next": left}
    try:
        result = recover(name, force=force)
    except UpFailed as error:
        say(f"not recovered: {error}")
        return 1, {"error": str(error)}
    say(result["next"])
    return 0, result
