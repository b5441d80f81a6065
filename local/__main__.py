"""`python -m local up|preview|down|outputs|token`: what the Makefile calls."""

import argparse
import os
import sys
from pathlib import Path

from local import commands
from local.home import ROOT, Home, LocalError
from local.tools import ToolMissing
from stacks.artifact import ArtifactError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local", description="The laptop's two clouds")
    parser.add_argument("--home", type=Path, default=ROOT / ".local", help="folder of the clouds (default: .local)")
    actions = parser.add_subparsers(dest="action", required=True)
    up = actions.add_parser("up", help="bring both stacks up and print their URLs")
    up.add_argument("--auth", choices=["laptop"], help="ask for tokens of the laptop's issuer")
    actions.add_parser("preview", help="show what up would change").add_argument("stack")
    actions.add_parser("down", help="destroy both stacks and stop the clouds")
    actions.add_parser("outputs", help="print all outputs as JSON")
    token = actions.add_parser("token", help="print a token of the laptop's issuer")
    token.add_argument("user", help="the id of the user who is asking")
    token.add_argument("--admin", action="store_true", help="who may write every user")
    arguments = parser.parse_args()
    home = Home(arguments.home.resolve())
    try:
        match arguments.action:
            case "up":
                commands.up(home, arguments.auth == "laptop")
            case "preview":
                commands.preview(home, arguments.stack)
            case "token":
                commands.token(home, arguments.user, arguments.admin)
            case action:
                {"down": commands.down, "outputs": commands.outputs}[action](home)
    except (LocalError, ToolMissing, ArtifactError) as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)  # what Pulumi's SDK leaves behind in a program that failed would write tracebacks at the exit


if __name__ == "__main__":
    main()
