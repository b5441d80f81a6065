"""Prints what the engine changed and its errors, and writes its full output to a file."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypedDict

from pulumi import automation as auto
from pulumi.automation.events import EngineEvent

from local.cli.engine_runs import unless_interrupted
from local.cli.home import Home
from ops.terminal import say_aside, write
from ops.urn import resource

CHANGED = {"create": "created", "update": "updated", "create-replacement": "replaced", "delete": "deleted"}
"""The engine's steps that are reported, and their words. A replacement has several steps, of which one is reported."""
ABOUT_REMOVING = re.compile("If you want to remove the stack completely|The resources in the stack have been deleted")
"""The engine's hint to run `pulumi stack rm`, which `destroy` does itself."""
REPEATED = "an unhandled error occurred: "
"""The engine reports an error in the program twice, the second time with this prefix."""


class Shown(TypedDict):
    color: str
    show_secrets: bool
    on_output: Callable[[str], None]
    on_error: Callable[[str], None]
    on_event: Callable[[EngineEvent], None]


@contextmanager
def shown(home: Home, stack: auto.Stack, *, verbose: bool) -> Generator[Shown]:
    """Yields arguments for a run of the engine, which print lines with the stack's name to stderr.

    They never raise: an exception would end the SDK's thread that reads the engine's output, and the engine would wait
    for ever once the pipe is full.

    With `verbose` they print the engine's full output, otherwise changes, warnings and errors. The full output also
    goes to the stack's file in the home's logs, which a failed run names.
    """
    home.logs.mkdir(exist_ok=True)
    path = home.logs / f"engine-{stack.name}.log"
    reported = set[str]()

    @unless_interrupted
    def show(text: str) -> None:
        if lines := [f"{stack.name} | {line.rstrip()}" for line in text.splitlines() if line.strip()]:
            say_aside("\n".join(lines))

    def report(event: EngineEvent) -> None:
        news = _news(event).replace(REPEATED, "")
        if news not in reported:
            show(news)
            reported.add(news)

    with path.open("w") as log:

        def note(line: str) -> None:
            if not ABOUT_REMOVING.search(line):
                write(line, log)
                if verbose:
                    show(line)

        try:
            yield Shown(
                color="never",
                show_secrets=False,
                on_output=note,
                on_error=note,
                on_event=(lambda event: None) if verbose else report,
            )
        except auto.errors.CommandError as error:
            if not verbose:
                explained = any(news.startswith(("error: ", "mandatory policy ")) for news in reported)
                show(f"the engine's full output: {path}" if explained else str(error))
            raise


def _news(event: EngineEvent) -> str:
    """The event as text for a person; empty for most events."""
    if (done := event.res_outputs_event) and not done.metadata.type.startswith("pulumi:"):
        change = CHANGED.get(done.metadata.op)
        if change == "deleted" and done.metadata.old and done.metadata.old.retain_on_delete:
            change = "left in the cloud"
        return f"{change} {resource(done.metadata.urn)}" if change else ""
    if (diagnostic := event.diagnostic_event) and diagnostic.severity != "debug" and not diagnostic.ephemeral:
        about = f"{resource(diagnostic.urn)}: " if diagnostic.urn else ""
        return f"{diagnostic.prefix or ''}{about}{diagnostic.message.strip()}"
    if violation := event.policy_event:
        about = f"{resource(violation.resource_urn)}: " if violation.resource_urn else ""
        return f"{violation.enforcement_level} policy {violation.policy_name}: {about}{violation.message.strip()}"
    return ""
