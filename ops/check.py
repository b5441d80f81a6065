"""Checks that a deployment works, or its newest revision alone."""

import os
import sys
from functools import partial

import httpx

from ops import reads, writes
from ops.deployment import Deployment, Wrong
from ops.report import Report
from ops.stack import Stack, UsageError
from ops.target import Target
from ops.terminal import interrupted, say
from ops.version_transport import VersionTransport


def check(target: Target, *, write: bool) -> Report:
    """Run all checks, also after one fails. Users are removed whatever happens. Raises UsageError."""
    token = os.environ.get("TOKEN", "") if write else ""
    say(f"{target.name}: {target.url}")
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
                _remove_users(deployment, report)
    except Wrong as fault:
        report.line("WRONG", "openapi.json", str(fault))
    return report


def check_newest(stack: Stack) -> Report:
    """Check the newest revision, whatever its share of the requests. It writes nothing. Raises UsageError.

    On AWS the version of the function is invoked. On Google Cloud its tag has a URL, as long as a rollout is
    unfinished and the cloud's own URL is open.
    """
    report = Report()
    url, transport = newest(stack)
    target = Target(stack.title, url, (stack.output("artifactDigest"),))
    try:
        with Deployment.open(target, "", transport) as deployment:
            for name, verify in reads.of_the_app(deployment):
                report.check(name, verify)
    except Wrong as fault:
        report.line("WRONG", "openapi.json", str(fault))
    return report


def newest(stack: Stack) -> tuple[str, httpx.BaseTransport | None]:
    """A URL that leads to the newest revision, with a transport that sends there; None: HTTP. Raises UsageError."""
    if stack.output("cloud") == "aws":
        return stack.output("url"), VersionTransport(stack, stack.output("revision"))
    if url := stack.outputs.get("canaryUrl"):
        return url, None
    if stack.output("percent") != 100:
        raise UsageError(f"{stack.title}: no URL leads to {stack.output('revision')} alone: the domain closed them")
    return stack.output("url"), None


def _remove_users(deployment: Deployment, report: Report) -> None:
    try:
        for user_id in sorted(deployment.made):
            report.check(f"removal of {user_id}", partial(deployment.remove, user_id))
    finally:
        if deployment.made:
            print(f"may still be there: {', '.join(sorted(deployment.made))}", file=sys.stderr)
