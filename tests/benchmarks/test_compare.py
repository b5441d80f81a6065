"""`make compare`, with its real peers."""

import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from benchmarks.compare import results
from tests.processes import command_line

ROOT = Path(__file__).parents[2]
COMPARE = ["app/.venv/bin/python", "-m", "benchmarks.compare"]


@pytest.mark.prove
def test_every_peer_answers_with_the_user_and_a_part_of_the_rounds_is_not_stored() -> None:
    stored = results.FILE.read_text()
    done = subprocess.run(["make", "compare", "ROUNDS=1"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Nothing is stored" in done.stdout
    assert results.FILE.read_text() == stored


@pytest.mark.prove
def test_ctrl_c_leaves_nothing_running() -> None:
    command = [*COMPARE, "--peers", "nothing", "--rounds", "1000"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        compare = psutil.Process(process.pid)
        started: list[psutil.Process] = []
        while not any("awslambdaric" in command_line(child) for child in started):
            assert process.poll() is None
            started = compare.children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert (process.returncode, error.splitlines()[-1]) == (130, "interrupted")
    gone, alive = psutil.wait_procs(started, timeout=10)
    assert not alive
    assert gone


def test_a_misspelt_peer_is_refused_with_the_names_of_all() -> None:
    done = subprocess.run([*COMPARE, "--peers", "flsk"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "invalid choice: 'flsk'" in done.stderr
    assert "functions-framework" in done.stderr
