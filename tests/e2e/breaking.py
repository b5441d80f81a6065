"""Ways to break a cloud under its app: faults in the paths of the app's real clients, and kill -9."""

import os
import select
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.laptop import Laptop

STORES = {"aws": "aws", "gcp": "firestore"}


@contextmanager
def broken(clouds: Laptop, service: str, fault: str) -> Generator[None]:
    """The fault (local/cloud/faults/proxy.py) in every connection to the service: aws, firestore or momento."""
    clouds.control("PUT", f"/faults/{service}", {"fault": fault}).raise_for_status()
    try:
        yield
    finally:
        clouds.control("DELETE", f"/faults/{service}").raise_for_status()


def await_held(clouds: Laptop, service: str) -> None:
    """Returns when a request to the service, which is `held`, is on its way."""
    clouds.control("GET", f"/faults/{service}/held").raise_for_status()


def kill_workers(clouds: Laptop, cloud: str) -> int:
    """kill -9 of what runs the app, the Lambda environments or gunicorn's workers; how many. The next request meets
    new ones."""
    pids = workers(clouds, cloud)
    for pid in pids:
        with suppress(ProcessLookupError):  # Lambda itself was faster
            gone = os.pidfd_open(pid)
            os.kill(pid, signal.SIGKILL)
            select.select([gone], [], [])
            os.close(gone)
    return len(pids)


def workers(clouds: Laptop, cloud: str) -> set[int]:
    """Process ids."""
    program = b"awslambdaric" if cloud == "aws" else b"gunicorn"
    found: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = str(clouds.home) in str((process / "cwd").readlink())
            if ours and program in (process / "cmdline").read_bytes():
                found[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return set(found) if cloud == "aws" else {pid for pid, parent in found.items() if parent in found}
