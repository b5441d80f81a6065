"""What the engine says: to the person what it changed and what is wrong, and all of it to a file."""

import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypedDict

from pulumi import automation as auto
from pulumi.automation.events import EngineEvent

from local.cli.engine_runs import unless_interrupted
from local.cli.home import Home

CHANGED = {"create": "created", "update": "updated", "create-replacement": "replaced", "delete": "deleted"}
"""The engine's steps that are reported, and how. A replacement consists of several, of which one is enough."""
ABOUT_REMOVING = re.compile("If you want to remove the stack completely|The resources in the stack have been deleted")
"""The engine's hint to run `pulumi stack rm`, which is done already."""
SAID_AGAIN = "an unhandled error occurred: "
"""The engine reports an error of the program twice, the second time with these words before it."""


class Shown(TypedDict):
    color: str
    show_secrets: bool
    on_output: Callable[[str], None]
    on_error: Callable[[str], None]
    on_event: Callable[[EngineEvent], None]


@contextmanager
def shown(home: Home, stack: auto.Stack, *, verbose: bool) -> Generator[Shown]:
    """Arguments for a run of the engine, which write to stderr, each line behind the stack's name.

    With `verbose` they write all that the engine says, otherwise what changed, warnings and errors. All of it also goes
    to the stack's file in the home's logs, which a failed run names.
    """
    home.logs.mkdir(exist_ok=True)
    path = home.logs / f"engine-{stack.name}.log"
    reported = set[str]()

    @unless_interrupted
    def tell(text: str) -> None:
        lines = [f"{stack.name} | {line.rstrip()}\n" for line in text.splitlines() if line.strip()]
        sys.stderr.write("".join(lines))  # one write, since the stacks speak at once

    def report(event: EngineEvent) -> None:
        news = _news(event).replace(SAID_AGAIN, "")
        if news not in reported:
            tell(news)
            reported.add(news)

    with path.open("w", buffering=1) as log:

        def write(line: str) -> None:
            if not ABOUT_REMOVING.search(line):
                print(line, file=log)
                if verbose:
                    tell(line)

        try:
            yield Shown(
                color="never",
                show_secrets=False,
                on_output=write,
                on_error=write,
                on_event=(lambda event: None) if verbose else report,
            )
        except auto.errors.CommandError as error:
            if not verbose:
                explained = any(news.startswith(("error: ", "mandatory policy ")) for news in reported)
                tell(f"all that the engine said: {path}" if explained else str(error))
            raise


def _news(event: EngineEvent) -> str:
    """What the event means to a person; empty for most."""
    if (done := event.res_outputs_event) and not done.metadata.type.startswith("pulumi:"):
        change = CHANGED.get(done.metadata.op)
        return f"{change} {resource(done.metadata.urn)}" if change else ""
    if (said := event.diagnostic_event) and said.severity != "debug" and not said.ephemeral:
        about = f"{resource(said.urn)}: " if said.urn else ""
        return f"{said.prefix or ''}{about}{said.message.strip()}"
    if broken := event.policy_event:
        about = f"{resource(broken.resource_urn)}: " if broken.resource_urn else ""
        return f"{broken.enforcement_level} policy {broken.policy_name}: {about}{broken.message.strip()}"
    return ""


def resource(urn: str) -> str:
    """The resource's type, without the file of its module, and its name."""
    *_, types, name = urn.split("::")
    return f"{re.sub('/[^:]*', '', types.rpartition('$')[2])} {name}"
