"""`python -m tests.ops.held_update FOLDER`: an update of stack aws, in the backend there, that waits for stdin to end.

It prints a line when it has the stack's lock. It is a process of its own, since the SDK leaves sockets behind when the
engine is killed.
"""

import sys
from contextlib import suppress
from pathlib import Path

from pulumi import automation as auto
from pulumi import export

from tests.ops.backend import Backend


def program() -> None:
    print("locked", flush=True)
    sys.stdin.read()
    export("ended", True)


if __name__ == "__main__":
    with suppress(auto.errors.CommandError):  # of an engine that was killed
        Backend(Path(sys.argv[1])).stack("aws", program).up()
