"""The command line, `python -m ops`, which `make check`, `make promote` and the like call."""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

from ops import commands
from ops.stack import ROOT, UsageError
from ops.terminal import interrupted, say, say_aside

EPILOG = """\
exit codes:
  0    done, or all is well
  1    something is wrong: a check, a rollout that was rolled back, or one that is overdue
  2    a mistake in the command, or a condition that it needs; nothing has changed
  3    a rollout is held, since nobody can say whether the new revision is good
  130  interrupted

A STACK is one of the local clouds if they run and have it, else one of `pulumi stack output`.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a command, and return its exit code."""
    given = vars(_parser().parse_args(arguments))
    run, as_json = given.pop("run"), given.pop("json")
    code, result = _run(run, given, as_json)
    if as_json:
        say(json.dumps(result))
    return code


def _run(run: Callable[..., commands.Result], given: dict[str, Any], as_json: bool) -> commands.Result:
    """With `as_json` what the command prints goes to stderr."""
    try:
        with redirect_stdout(sys.stderr) if as_json else nullcontext():
            return run(**given)
    except UsageError as error:
        say_aside(str(error))
        return 2, {"error": str(error)}
    except KeyboardInterrupt:
        say_aside("interrupted")
        return 130, {"error": "interrupted"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops",
        description="Operations on a deployment",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(run: Callable[..., commands.Result], help: str) -> argparse.ArgumentParser:
        action = actions.add_parser(run.__name__, help=help, description=f"{help[0].upper()}{help[1:]}.")
        action.set_defaults(run=run)
        action.add_argument("--home", type=Path, default=ROOT / ".local", help="the local clouds' folder")
        action.add_argument("--json", action="store_true", help="print the result as JSON, and all else to stderr")
        return action

    check = command(commands.check, "check that a deployment works")
    check.add_argument("--stack", help="a stack")
    check.add_argument("--url", help="a URL instead of a stack")
    check.add_argument("--write", action="store_true", help="also create users, and remove them again")
    promote = command(commands.promote, "roll out an artifact of one stack on another, step by step, without a build")
    promote.add_argument("source", metavar="FROM", help="the stack that runs the artifact")
    promote.add_argument("target", metavar="TO", help="the stack that gets it")
    promote.add_argument("--artifact", metavar="sha256:...", help="a completed release of FROM (default: what it runs)")
    promote.add_argument("--first", action="store_true", help="refuse if TO has come up already")
    promote.add_argument("--dry-run", action="store_true", help="change nothing, and say what TO would get")
    verify = command(commands.verify, "check the newest revision alone, whatever its share of the requests")
    rollback = command(commands.rollback, "give all requests to the stable revision, or to the release before it")
    rollback.add_argument("--to", metavar="sha256:...", help="this release instead")
    preview = command(commands.preview, "plan `pulumi up` of stacks, with all that the plan depends on, in one file")
    preview.add_argument("--out", type=Path, default=ROOT / "build" / "plan.json", metavar="FILE", help="the file")
    preview.add_argument("--artifact", metavar="sha256:...", help="refuse to plan another one")
    comment = command(commands.comment, "print what a plan would change as Markdown, or put it on a pull request")
    comment.add_argument("--head", metavar="OWNER:BRANCH", help="the branch of the pull request")
    comment.add_argument("--commit", metavar="SHA", help="its newest commit, without which it gets no comment")
    deploy = command(commands.deploy, "deploy a plan, and refuse if anything has changed since it was made")
    deploy.add_argument("--digest", metavar="sha256:...", help="the SHA-256 of the file that was approved")
    for action in (comment, deploy):
        action.add_argument("--plan", type=Path, required=True, metavar="FILE", help="what `preview` has written")
    prune = command(commands.prune, "delete the versions of a Lambda function that a rollback does not need")
    status = command(commands.status, "say what runs, and what is being rolled out")
    status.add_argument("--mend", action="store_true", help="also roll back what is overdue")
    create = command(commands.create, "make a stack with a time to live in the backend, or set that time anew")
    create.add_argument("name", metavar="STACK", help="the stack: aws-ann, or pr-12 for one on each cloud")
    create.add_argument("--hours", default="72", help="how long until `reap` destroys it (default: 72)")
    reap = command(commands.reap, "destroy the stacks whose time to live is over")
    reap.add_argument("--dry-run", action="store_true", help="destroy nothing, and say what would be")
    recover = command(commands.recover, "bring a stack back into use after its update was killed")
    recover.add_argument("--force", action="store_true", help="remove a lock whose holder may be at work, too")
    for action in (verify, rollback, prune, recover):
        action.add_argument("name", metavar="STACK", help="the stack")
    drift = command(commands.drift, "report what in the cloud differs from what the last deployment left there")
    for action in (status, preview, drift):
        action.add_argument("names", metavar="STACK", nargs="+", help="the stacks")
    return parser


def interrupt(number: int, frame: object) -> None:
    """Interrupt like Python's own handler, and set `interrupted`: an exception raised in a finaliser is only printed.

    https://docs.python.org/3/library/signal.html#note-on-signal-handlers-and-exceptions
    """
    interrupted.set()
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)  # how a pipeline interrupts
    sys.exit(main())
