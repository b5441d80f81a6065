"""The measured processes. They get a core that neither the upstreams nor the measuring process uses."""

import os
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path


class CompareError(Exception):
    """One line that names the peer and what went wrong."""


def leave_a_core() -> int:
    """Move this process, and what it starts from now on, off one core, and return that. Raises CompareError."""
    measured, *others = sorted(os.sched_getaffinity(0))
    if not others:
        raise CompareError("this process may use one core only, and needs a second one for what it measures")
    os.sched_setaffinity(0, others)
    return measured


@contextmanager
def running(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], core: int, output: int
) -> Generator[subprocess.Popen[bytes]]:
    """Run the command, alone on the core, with its output to a file descriptor; kill it and its children at the end."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    finally:
        os.sched_setaffinity(0, own)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def peak_memory(pid: int) -> float:
    """The most memory, in MB, that the process or its largest child has used (VmHWM in proc_pid_status(5))."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max(_peak(int(each)) for each in (pid, *children))


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
