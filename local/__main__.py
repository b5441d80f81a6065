"""`python -m local up|preview|down|outputs`: what the Makefile calls."""

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
    actions.add_parser("up", help="bring both stacks up and print their URLs")
    actions.add_parser("preview", help="show what up would change").add_argument("stack")
    actions.add_parser("down", help="destroy both stacks and stop the clouds")
    actions.add_parser("outputs", help="print all outputs as JSON")
    arguments = parser.parse_args()
    home = Home(arguments.home.resolve())
    try:
        if arguments.action == "preview":
            commands.preview(home, arguments.stack)
        else:
            {"up": commands.up, "down": commands.down, "outputs": commands.outputs}[arguments.action](home)
    except (LocalError, ToolMissing, ArtifactError) as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)  # what Pulumi's SDK leaves behind in a program that failed would write tracebacks at the exit


if __name__ == "__main__":
    main()
