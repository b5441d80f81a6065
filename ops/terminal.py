"""Prints lines of progress, and remembers Ctrl-C."""

import os
import sys
import threading
from typing import TextIO

interrupted = threading.Event()


def say(line: str) -> None:
    """Print the line. Goes on if stdout is closed or full, because users must be removed and rollouts finished."""
    write(line, sys.stdout)


def say_aside(line: str) -> None:
    """Print the line to stderr, and go on likewise."""
    write(line, sys.stderr)


def write(line: str, stream: TextIO) -> None:
    """Write the line at once, since several threads may print. Drops it and all later ones if the stream fails."""
    try:
        stream.write(f"{line}\n")
        stream.flush()
    except OSError:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
