"""Processes that may end at any moment."""

from contextlib import suppress

import psutil


def command_line(process: psutil.Process) -> str:
    """The arguments in one line; empty when the process has ended since it was listed."""
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""
