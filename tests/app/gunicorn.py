"""Runs the app in gunicorn like Cloud Run, with the store in memory."""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.cloud.common.listener import HOST, free_port

ROOT = Path(__file__).parents[2]
GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "python:app.gunicorn_config"]


@contextmanager
def gunicorn(environ: Mapping[str, str]) -> Generator[tuple[str, int]]:
    """Run gunicorn; yields its host and port."""
    port = free_port()
    given = {"PATH": os.environ["PATH"], "HOST": HOST, "PORT": str(port), **environ}
    process = subprocess.Popen(
        [*GUNICORN, "app.wsgi:app"], cwd=ROOT, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    try:
        for line in process.stderr:
            if "Booting worker" in line:
                break
        yield HOST, port
    finally:
        process.terminate()
        process.communicate()
