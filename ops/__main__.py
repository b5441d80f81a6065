"""The command line, `python -m ops`, which `make check` and `make prune` call."""

import argparse
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path

from ops import reads, writes
from ops.deployment import Deployment, Wrong
from ops.report import Report
from ops.stack import ROOT, Stack, UsageError
from ops.target import Target

interrupted = threading.Event()


def main(arguments: list[str] | None = None) -> int:
    """Run a command. Returns 0 if all is ok, 1 if something is wrong, 2 if nothing can be checked, 130 if
    interrupted.
    """
    parser = argparse.ArgumentParser(prog="python -m ops", description="Operations on a deployment")
    actions = parser.add_subparsers(dest="action", required=True)
    check = actions.add_parser("check", help="check that a deployment works")
    check.add_argument("--url", help="a URL instead of a stack")
    check.add_argument("--write", action="store_true", help="also create users, and remove them again")
    actions.add_parser("prune", help="delete the versions of a Lambda function that a rollback does not need")
    for action in actions.choices.values():
        action.add_argument("--stack", help="a stack of the local clouds if they run, else of `pulumi stack output`")
        action.add_argument("--home", type=Path, default=ROOT / ".local", help="the local clouds' folder")
    given = parser.parse_args(arguments)
    try:
        if given.action == "prune":
            return prune_stack(given.stack, given.home)
        return run(target_of(given.stack, given.url, given.home), given.write)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def target_of(stack: str | None, url: str | None, home: Path) -> Target:
    if url and not stack:
        return Target.of_url(url)
    if stack and not url:
        return Target.of_stack(Stack.find(stack, home))
    raise UsageError("name a stack or a URL: make check STACK=aws, or make check URL=https://...")


def prune_stack(name: str | None, home: Path) -> int:
    from ops.prune import prune  # late, because importing botocore takes 0.2 s

    if not name:
        raise UsageError("name a stack: make prune STACK=aws")
    stack = Stack.find(name, home)
    if stack.output("cloud") != "aws":
        print(f"{stack.title}: nothing to delete, since Google Cloud bills no old revisions")
        return 0
    print(f"{stack.title}: {stack.output('service')}", flush=True)
    nothing = True
    for line in prune(stack):
        print(line, flush=True)
        nothing = False
    if nothing:
        print("nothing to delete")
    return 0


def run(target: Target, write: bool) -> int:
    """Run all checks, also after one fails. Users are removed whatever happens."""
    token = os.environ.get("TOKEN", "") if write else ""
    print(f"{target.name}: {target.url}", flush=True)
    report = Report()
    try:
        with Deployment.open(target, token) as deployment:
            if write:
                deployment.must_accept_token()
            try:
                for module in (reads, writes) if write else (reads,):
                    for name, verify in module.checks(deployment):
                        report.check(name, verify)
                        if interrupted.is_set():
                            raise KeyboardInterrupt
            finally:
                remove_users(deployment, report)
    except Wrong as fault:
        report.line("WRONG", "openapi.json", str(fault))
    print(report.summary)
    return 0 if report.all_ok else 1


def remove_users(deployment: Deployment, report: Report) -> None:
    try:
        for user_id in sorted(deployment.made):
            report.check(f"removal of {user_id}", partial(deployment.remove, user_id))
    finally:
        if deployment.made:
            print(f"may still be there: {', '.join(sorted(deployment.made))}", file=sys.stderr)


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
