"""The daemon's child processes. Each leads a process group in the daemon's session, and none outlives the daemon."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

REAPER = Path(__file__).with_name("reaper.py")
PF_EXITING = 0x4  # include/linux/sched.h


class Child:
    """A running process group. `exited` completes with the leader's return code, which is negative for a signal."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self.exited = asyncio.create_task(self._watch(process))

    @property
    def alive(self) -> bool:
        """Asks the kernel, since `exited` completes a moment after the process ends.

        The flag is set before the kernel closes the process's sockets, so that who has lost a connection finds it dead.
        waitid(2) would still find it alive. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
        """
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        flags = stat.rpartition(")")[2].split()[6]
        return not int(flags) & PF_EXITING

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    async def stop(self, grace: float) -> None:
        """Sends SIGTERM, then SIGKILL after `grace` seconds or if cancelled; returns when the group is gone."""
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait({self.exited}, timeout=grace)
        finally:
            self.kill()
        await asyncio.wait({self.exited})

    async def _watch(self, process: asyncio.subprocess.Process) -> int:
        code = await process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return code

    def _signal(self, number: signal.Signals) -> None:
        if not self.exited.done():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)


class Processes:
    """Starts children, and a reaper that kills them even after a `kill -9` of this process.

    This process must lead its session. The reaper runs in a new session and inherits the descriptor `lock`.
    """

    def __init__(self, lock: int | None = None) -> None:
        self._children: set[Child] = set()
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", "-S", REAPER, str(os.getsid(0))],
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=[] if lock is None else [lock],
        )

    async def start(self, command: Sequence[str | Path], cwd: Path, env: Mapping[str, str], log: Path) -> Child:
        """Starts `command` with exactly `env`, and appends its output to `log`. Raises OSError if it cannot run."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        child = Child(process)
        self._children.add(child)
        child.exited.add_done_callback(lambda _: self._children.discard(child))
        return child

    async def stop_all(self, grace: float) -> None:
        """Stops all children concurrently, then the reaper."""
        await asyncio.gather(*(child.stop(grace) for child in list(self._children)))
        self._reaper.communicate()
