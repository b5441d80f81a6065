"""Kills the daemon's children when the daemon is gone, however it went. Its stdin is a pipe from processes.py.

Lines on it are `+PID` and `-PID`, process groups that began and ended. End of file means that the daemon ended.
"""

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
