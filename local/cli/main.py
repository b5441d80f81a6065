"""`python -m local`: what the Makefile calls."""

import os
import signal
import sys
import threading
from typing import NoReturn

from pulumi.automation.errors import CommandError

from local.cli.arguments import parse
from local.cli.engine_runs import INTERRUPTS
from local.cli.home import Home, LocalError
from local.cli.installation import ToolMissing
from ops.stack import UsageError
from stacks.artifact import ArtifactError

REAL_MOMENTO = ("MOMENTO_API_KEY", "MOMENTO_APP_API_KEY", "MOMENTO_ENDPOINT")
"""What the stacks and the plugin take from the environment, and the laptop's clouds must not get."""


def main() -> None:
    run, path, arguments = parse()
    home = Home(path.resolve())
    for number in INTERRUPTS:
        signal.signal(number, _interrupt)
    os.environ["TMPDIR"] = str(home.temporary)
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = f"127.0.0.1,{os.environ.get('no_proxy', '')}"
    for variable in REAL_MOMENTO:
        os.environ.pop(variable, None)
    os.umask(0o077)  # only the user may read the clouds' keys
    try:
        run(home, **arguments)
    except (LocalError, UsageError, ToolMissing, ArtifactError, OSError, CommandError, KeyboardInterrupt) as error:
        _leave(_line(error))
    _leave()


def _interrupt(number: int, frame: object) -> NoReturn:
    threading.excepthook = lambda failed: None  # threads of Pulumi's SDK fail on pipes that this closes
    raise KeyboardInterrupt


def _line(error: BaseException) -> str:
    if isinstance(error, CommandError):
        errors = [line for line in str(error).splitlines() if "error: " in line]
        return errors[-1].strip() if errors else " ".join(str(error).split())
    return str(error) or "interrupted"


def _leave(error: str = "") -> NoReturn:
    """Exits without cleanup, which takes half a second, and in which Pulumi's SDK prints tracebacks after a failure."""
    code = 1
    try:
        if error:
            print(error, file=sys.stderr)
        sys.stdout.flush()
        code = int(bool(error))
    finally:
        os._exit(code)
