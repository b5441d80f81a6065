"""Kills the daemon's children after the daemon has ended for any reason.

Its stdin is a pipe from processes.py, so end of file means that the daemon has ended. Its argument is the daemon's
session. It inherits the lock of the daemon's home, so the next daemon can only start when the last child is dead.
"""

import os
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.read()
    while members := _members(sys.argv[1]):
        for pid in members:
            with suppress(ProcessLookupError):
                end = os.pidfd_open(pid)
                os.kill(pid, signal.SIGKILL)
                select.select([end], [], [])


def _members(session: str) -> list[int]:
    """The session's processes except its leader (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html)."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, _, its_session, *_ = (process / "stat").read_text().rpartition(")")[2].split()
            if its_session == session != process.name and state not in "ZX":
                found.append(int(process.name))
    return found


if __name__ == "__main__":
    main()
