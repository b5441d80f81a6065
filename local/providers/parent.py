"""Ends a plugin with the engine that started it, even if the engine is killed and cannot end its plugins.

`python -m local.providers.parent MODULE ARGUMENTS...` runs a module that way.
"""

import os
import runpy
import select
import sys
from threading import Thread


def end_with_parent() -> None:
    """Watches the parent process from now on.

    The engine is a Go program, so the kernel's own signal for it, PR_SET_PDEATHSIG, would come too early: with the end
    of the thread that forked. A parent that died before this call leaves no reader of the port that a plugin prints.
    """
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


if __name__ == "__main__":
    end_with_parent()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
