"""Who moves a stack's traffic: one process at a time, named in the stack's outputs as `rolloutBy`."""

import getpass
import os
import re
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any


def myself() -> str:
    """`user@host:pid` of this process."""
    try:
        user = getpass.getuser()
    except OSError:  # in a container without an entry for this user
        user = str(os.getuid())
    return re.sub(r"\s", "-", f"{user}@{socket.gethostname()}:{os.getpid()}")


def is_at_work(outputs: Mapping[str, Any]) -> bool:
    """Whether the holder of an unfinished rollout may still be at work.

    It is not after its deadline, nor if it was a process of this computer that has ended.
    """
    return bool(outputs["rolloutBy"]) and not is_overdue(outputs) and not has_ended(outputs["rolloutBy"])


def is_overdue(outputs: Mapping[str, Any]) -> bool:
    """Whether an unfinished rollout should have moved on."""
    return bool(outputs["rolloutUntil"]) and datetime.now(UTC) > datetime.fromisoformat(outputs["rolloutUntil"])


def deadline(seconds: float) -> str:
    """The time in that many seconds, as `rolloutUntil` takes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def has_ended(holder: str) -> bool:
    """Whether the holder was a process of this computer that has ended."""
    place, _, pid = holder.rpartition(":")
    if place.rpartition("@")[2] != socket.gethostname() or not pid.isdigit():
        return False
    with suppress(PermissionError):  # of a process of somebody else
        try:
            os.kill(int(pid), 0)
        except (ProcessLookupError, OverflowError):
            return True
    return False
