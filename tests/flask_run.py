"""Runs the app in `flask run` like a developer, with the store in memory."""

import subprocess
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / "app" / ".venv" / "bin" / "python"


@contextmanager
def flask_run() -> Generator[str]:
    """Run the server; yields its URL."""
    command = [PYTHON, "-m", "flask", "--app", "app.wsgi", "run", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr
    lines = iter(process.stderr)
    url = next((line.rpartition("Running on ")[2].strip() for line in lines if "Running on " in line), "")
    drain = threading.Thread(target=deque, args=(lines, 0))  # it logs every request, and stops when nobody reads
    drain.start()
    try:
        assert url, "flask run did not start"
        yield url
    finally:
        process.terminate()
        process.wait()
        drain.join()
        process.stderr.close()
