"""Runs a module until the engine that started it interrupts it or ends, even if the engine is killed.

`python parent.py MODULE ARGUMENTS...`
"""

import gc
import os
import runpy
import select
import signal
import sys
from threading import Thread


def end_with_parent() -> None:
    """Exits as soon as the parent process sends SIGINT or ends.

    PR_SET_PDEATHSIG would fire too early, when the thread that forked ends: the engine is a Go program. If the parent
    died before this call, printing the port fails, since no process reads it.
    """
    signal.signal(signal.SIGINT, _end)
    parent = os.getppid()
    try:
        ended = os.pidfd_open(parent)
    except ProcessLookupError:
        os._exit(1)
    if os.getppid() != parent:
        os._exit(1)

    def wait() -> None:
        select.select([ended], [], [])
        os._exit(1)

    Thread(target=wait, daemon=True).start()


def _end(number: int, frame: object) -> None:
    os._exit(0)  # the engine reports any other code as an error


if __name__ == "__main__":
    gc.disable()  # the SDKs' objects live as long as the process
    end_with_parent()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
