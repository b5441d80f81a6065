"""Whether the holder of a rollout is still at work."""

import os
import re
import socket
import subprocess
import sys
from typing import Any

import pytest

from ops import holder

ELSEWHERE = "ann@another-host:1"


def outputs(by: str, seconds: float = 60) -> dict[str, Any]:
    return {"rolloutBy": by, "rolloutUntil": holder.deadline(seconds)}


def ended() -> int:
    """The id of a process that has ended."""
    return int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True).stdout)


def test_this_process_is_at_work() -> None:
    assert re.fullmatch(rf"\S+@{re.escape(socket.gethostname())}:{os.getpid()}", holder.myself())
    assert holder.is_at_work(outputs(holder.myself()))


def test_a_process_of_this_computer_that_has_ended_is_not() -> None:
    assert not holder.is_at_work(outputs(f"ann@{socket.gethostname()}:{ended()}"))


def test_a_process_of_somebody_else_on_this_computer_is() -> None:
    assert holder.is_at_work(outputs(f"root@{socket.gethostname()}:1"))


def test_another_computers_process_is_until_its_deadline() -> None:
    assert holder.is_at_work(outputs(ELSEWHERE))
    assert not holder.is_at_work(outputs(ELSEWHERE, -1))
    assert holder.is_overdue(outputs(ELSEWHERE, -1))


def test_nobody_is_not() -> None:
    nobody = {"rolloutBy": "", "rolloutUntil": ""}
    assert not holder.is_at_work(nobody)
    assert not holder.is_overdue(nobody)


@pytest.mark.parametrize("by", ["ann", "ann@host", "a@b:c", f"a@{socket.gethostname()}:{10**30}", ":", "@:0x1"])
def test_names_that_others_chose(by: str) -> None:
    holder.is_at_work(outputs(by))
