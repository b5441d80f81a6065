"""Runs locust in its own environment, and gathers the requests that it prints."""

import json
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.load import people
from benchmarks.load.summary import Request
from ops.stack import ROOT

LOCUST = ROOT / "benchmarks" / ".venv" / "bin" / "locust"
FOLDER = ROOT / "build" / "load"
REPORT, LOG = FOLDER / "report.html", FOLDER / "locust.log"
ENDS_WITHIN = 30  # seconds, in which the requests that are sent get their answers


@dataclass(frozen=True)
class Plan:
    """`seconds` long, for each target `users` who send `rate` requests a second together."""

    seconds: int
    users: int
    rate: float


class Locust:
    """Locust runs while the `with` block does, or until its time is over; `requests` are those that have ended.

    With `port` it does not begin, but serves its own page there, on 127.0.0.1.
    """

    def __init__(self, urls: Mapping[str, str], plan: Plan, token: str | None, port: int | None = None) -> None:
        self.requests: list[Request] = []
        FOLDER.mkdir(parents=True, exist_ok=True)
        REPORT.unlink(missing_ok=True)
        everybody = str(plan.users * len(urls))
        self._facts = {
            "urls": dict(urls),
            "users": plan.users,
            "rate": plan.rate,
            "token": token,
            "readers": people.READERS,
        }
        page = ["--headless"] if port is None else ["--web-host", "127.0.0.1", "--web-port", str(port)]
        with LOG.open("w") as log:
            self._process = subprocess.Popen(
                [
                    *(LOCUST, "-f", Path(__file__).with_name("users.py"), *page, "--loglevel", "WARNING"),
                    *("--users", everybody, "--spawn-rate", everybody, "--run-time", f"{plan.seconds}s"),
                    *("--stop-timeout", str(ENDS_WITHIN), "--html", REPORT, "--exit-code-on-error", "0"),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # a terminal's Ctrl-C is for this process, which ends locust
            )
        self._reader = threading.Thread(target=self._read, name="locust")

    def __enter__(self) -> Self:
        self._reader.start()
        assert self._process.stdin
        with suppress(BrokenPipeError):  # locust has ended: `wait` and its log say so
            print(json.dumps(self._facts), file=self._process.stdin, flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the requests that are sent, and for the report, which locust only writes after SIGINT."""
        self._process.send_signal(signal.SIGINT)
        try:
            self.wait(2 * ENDS_WITHIN)
        finally:
            self._process.kill()
            self._reader.join()
            assert self._process.stdin
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def wait(self, seconds: float) -> int | None:
        """The exit code if locust ends within `seconds`, else None."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                if line.startswith("["):
                    self.requests.append(Request(*json.loads(line)))
