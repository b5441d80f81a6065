"""`python -m local up|preview|drift|destroy|down|outputs|token`: what the Makefile calls."""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from pulumi.automation.errors import CommandError

from local.cli import commands
from local.cli.engine_runs import INTERRUPTS
from local.cli.home import ROOT, Home, LocalError
from local.cli.tools import ToolMissing
from stacks.artifact import ArtifactError


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}\n")


def main() -> None:
    parser = Parser(prog="python -m local", description="The laptop's two clouds")
    parser.add_argument("--home", type=Path, default=ROOT / ".local", help="folder of the clouds (default: .local)")
    actions = parser.add_subparsers(dest="action", required=True)
    up = actions.add_parser("up", help="bring stacks up and print their URLs")
    up.add_argument("stacks", nargs="*", help="which (default: aws and gcp)")
    up.add_argument("--auth", choices=["laptop"], help="ask for tokens of the laptop's issuer")
    up.add_argument("--refresh", action="store_true", help="mend what has drifted")
    up.add_argument("--rollout", default="100", help="percent of the requests to the newest version (default: 100)")
    up.add_argument("--artifact", default="build", help="sha256:... of an artifact that ran before, instead of a build")
    actions.add_parser("preview", help="show what up would change").add_argument("stack")
    actions.add_parser("drift", help="show what is not as the last up left it").add_argument("stack")
    actions.add_parser("destroy", help="destroy stacks").add_argument("stacks", nargs="+")
    actions.add_parser("down", help="destroy all stacks and stop the clouds")
    actions.add_parser("outputs", help="print all outputs as JSON")
    token = actions.add_parser("token", help="print a token of the laptop's issuer")
    token.add_argument("user", help="the id of the user who is asking")
    token.add_argument("--admin", action="store_true", help="who may write every user")
    arguments = parser.parse_args()
    home = Home(arguments.home.resolve())
    for number in INTERRUPTS:
        signal.signal(number, signal.default_int_handler)
    os.environ["TMPDIR"] = str(home.temporary)
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = f"127.0.0.1,{os.environ.get('no_proxy', '')}"
    os.umask(0o077)  # the clouds' keys are nobody else's
    try:
        match arguments.action:
            case "up":
                commands.up(
                    home,
                    arguments.stacks,
                    auth=arguments.auth == "laptop",
                    refresh=arguments.refresh,
                    rollout=arguments.rollout,
                    pinned=arguments.artifact,
                )
            case "preview":
                commands.preview(home, arguments.stack)
            case "drift":
                commands.drift(home, arguments.stack)
            case "destroy":
                commands.destroy(home, arguments.stacks)
            case "token":
                commands.token(home, arguments.user, arguments.admin)
            case action:
                {"down": commands.down, "outputs": commands.outputs}[action](home)
    except (LocalError, ToolMissing, ArtifactError, OSError, CommandError, KeyboardInterrupt) as error:
        _leave(_line(error))


def _line(error: BaseException) -> str:
    if isinstance(error, CommandError):
        said = [line for line in str(error).splitlines() if "error: " in line]
        return said[-1].strip() if said else " ".join(str(error).split())
    return str(error) or "interrupted"


def _leave(line: str) -> NoReturn:
    """Ends the program at once: what Pulumi's SDK leaves behind in one that failed writes tracebacks at the exit."""
    try:
        print(line, file=sys.stderr)
        sys.stdout.flush()
    finally:
        os._exit(1)
