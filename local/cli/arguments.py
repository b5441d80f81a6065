"""The command line of `python -m local`. Options have the names of the parameters of the command's function."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from local.cli import bring_up, commands, destruction
from local.cli.dev import dev
from local.cli.home import ROOT
from local.providers.values import is_object

DESCRIPTION = """\
Run both clouds on this computer. The Makefile calls these commands and passes its variables as options:
`make up STACK=aws ROLLOUT=10` is `python -m local up --rollout 10 aws`.

A STACK has a file Pulumi.STACK.yaml in the checkout, such as aws, aws-prod, gcp or gcp-prod, or is made from the file
of aws or gcp: aws-ann. A name without a cloud, such as pr-12, means aws-pr-12 and gcp-pr-12.
"""
EPILOG = """\
environment:
  PATH             a Pulumi CLI on it is used if it is new enough; otherwise one is built, once, in 3 minutes
  XDG_CACHE_HOME   the folder that keeps the built CLI and unpacked code (default: ~/.cache)
  UV               the uv program that builds; make sets it

Each command exits with 0, with 1 after a line that says what is wrong and how to fix it, or with 2 after a usage error.
`python -m local COMMAND --help` explains a command.
"""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}: `{self.prog} --help` explains it\n")


def parse() -> tuple[Callable[..., None], Path, dict[str, Any]]:
    """The command's function, the clouds' folder, and the function's keyword arguments."""
    parser = Parser(
        prog="python -m local",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    home = "folder of the clouds: their state, keys and logs (default: .local in the checkout)"
    parser.add_argument("--home", metavar="FOLDER", type=Path, default=ROOT / ".local", help=home)
    actions = parser.add_subparsers(metavar="COMMAND", required=True)
    _up(actions)
    _apply(actions)
    _dev(actions)
    _reading(actions)
    _ending(actions)
    arguments = vars(parser.parse_args())
    return arguments.pop("run"), arguments.pop("home"), arguments


type Actions = argparse._SubParsersAction[Parser]  # pyright: ignore[reportPrivateUsage]


def _command(actions: Actions, run: Callable[..., None], help: str, more: str, *examples: str) -> Parser:
    """Adds a command. Omitted options keep the defaults of the function."""
    command = actions.add_parser(
        run.__name__,
        help=help,
        description=f"{help[0].upper()}{help[1:]}. {more}",
        epilog="\n".join(["examples:", *(f"  python -m local {example}" for example in examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    command.set_defaults(run=run)
    return command


def _up(actions: Actions) -> None:
    more = """\
Builds the artifact if a stack needs it, starts the clouds unless they run, and deletes versions of
Lambda functions that no rollback needs. Prints a line for each resource that
changed, then each stack's URL, store and artifact."""
    up = _command(actions, bring_up.up, "bring stacks up", more, "up", "up --rollout 10 aws", "up --auth laptop gcp")
    up.add_argument("names", metavar="STACK", nargs="*", help="the stacks (default: aws and gcp)")
    up.add_argument("--auth", choices=["laptop"], help="let only tokens of the laptop's issuer write (default: open)")
    up.add_argument("--refresh", action="store_true", help="read the clouds' state first, and repair drift")
    rollout = "share of the requests that the newest version gets, in percent (default: the stack file's, or 100)"
    up.add_argument("--rollout", metavar="PERCENT", help=rollout)
    up.add_argument("--hours", metavar="HOURS", help="hours until `make reap` destroys the stacks (default: never)")
    _artifact(up)
    _verbose(up)


def _apply(actions: Actions) -> None:
    more = "The stack file\nstays as it is, and the clouds must run. This is a step of `make promote`."
    example = """apply aws --settings '{"rollout": "10"}'"""
    apply = _command(actions, bring_up.apply, "bring a stack up with keys for this run alone", more, example)
    apply.add_argument("name", metavar="STACK", help="the stack")
    settings = "an object of keys of the project"
    apply.add_argument("--settings", metavar="JSON", type=_json_object, required=True, help=settings)
    apply.add_argument("--plan", metavar="FILE", type=Path, help="what `preview` wrote: refuse to do anything else")


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not is_object(value):
        raise argparse.ArgumentTypeError(f"""{text!r} is no JSON object, such as '{{"rollout": "10"}}'""")
    return value


def _dev(actions: Actions) -> None:
    more = """\
It has the environment of the stack's app, so it uses the same store and cache as the stack's URL.
Brings the stack up first if necessary. Ctrl-C ends it; the clouds stay up."""
    command = _command(actions, dev, "run `flask run --reload` on a stack's store and cache", more, "dev", "dev gcp")
    command.add_argument("name", metavar="STACK", nargs="?", help="the stack (default: aws)")
    command.add_argument("--port", help="the port, on 127.0.0.1; 0 takes any that is free (default: 5000)")


def _reading(actions: Actions) -> None:
    more = "Changes nothing and\nneeds no running clouds. Fails if the policy forbids something."
    preview = _command(actions, commands.preview, "show what `up` would change", more, "preview aws")
    more = "Prints a line for each\nproperty that differs, and fails if there is one; `up --refresh` repairs it."
    drift = _command(actions, commands.drift, "compare the clouds with what the last `up` left", more, "drift aws")
    _artifact(preview)
    preview.add_argument("--plan", metavar="FILE", type=Path, help="write the engine's plan, for `apply`")
    preview.add_argument("--policy-log", metavar="FILE", type=Path, help="write what the policy found, as JSON lines")
    for command in (preview, drift):
        command.add_argument("name", metavar="STACK", help="the stack")
    more = "The keys are the stacks' names."
    _command(actions, commands.outputs, "print the outputs of all stacks as JSON", more, "outputs")
    more = "For stacks that are up with `--auth laptop`.\nSend it as `Authorization: Bearer TOKEN`."
    token = _command(
        actions, commands.token, "print a token of the laptop's issuer", more, "token 1", "token 1 --admin"
    )
    token.add_argument("user", metavar="USER", help="the id of the user who sends it and may write that user")
    token.add_argument("--admin", action="store_true", help="let the token write every user")


def _ending(actions: Actions) -> None:
    more = "The clouds and the other stacks stay up."
    destroy = _command(actions, destruction.destroy, "destroy stacks", more, "destroy aws", "destroy aws gcp")
    destroy.add_argument("names", metavar="STACK", nargs="+", help="the stacks")
    destroy.add_argument("--wait", action="store_true", help="wait for another command that is at work")
    more = "Deletes their users and logs, and\nfrees their ports. Needs no running clouds."
    down = _command(actions, destruction.down, "destroy all stacks and stop the clouds", more, "down")
    for command in (destroy, down):
        _verbose(command)


def _artifact(command: Parser) -> None:
    artifact = "build, promoted, or the sha256:... of a release in `outputs` (default: the stack file's, or build)"
    command.add_argument("--artifact", metavar="ARTIFACT", help=artifact)


def _verbose(command: Parser) -> None:
    verbose = "print the engine's full output (default: only what changed; logs/ in the folder has the full output)"
    command.add_argument("--verbose", action="store_true", help=verbose)
