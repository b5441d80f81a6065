"""A load: it is prepared, runs with its numbers on the screen, and is summed up."""

import socket
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

from benchmarks.load import people, plot, summary
from benchmarks.load.delays import DELAYS, injected
from benchmarks.load.runner import FOLDER, LOG, REPORT, Locust, Plan
from benchmarks.load.summary import Line
from benchmarks.load.table import delayed, table
from benchmarks.load.targets import LOCAL_STACKS, Target, laptop_of
from ops import metric_log
from ops.metric_log import Time
from ops.stack import UsageError

EVERY = 5  # seconds between two tables
SHOWN = 15  # seconds that a table covers
LAG, LAG_ON_LAPTOP = 20.0, 0.5  # seconds until a line can be read
FAILED, INTERRUPTED = 1, 130

type Window = tuple[float, float]  # in Unix seconds


class Load:
    def __init__(self, targets: Sequence[Target], plan: Plan, token: str | None) -> None:
        self._targets = targets
        self._plan = plan
        self._token = token
        self._laptop = laptop_of(targets)
        self._lag = LAG_ON_LAPTOP if self._laptop else LAG
        self._times: dict[str, list[Time]] = {target.name: [] for target in targets}
        self._read_until = time.time()

    def run(self, docs: bool) -> int:
        """The command's exit code. Raises UsageError."""
        self._prepare()
        with self._delays(), self._locust() as locust:
            try:
                code = self._watch(locust)
            except KeyboardInterrupt:
                code = INTERRUPTED
        if not locust.requests:
            raise UsageError(f"locust has sent nothing: see {LOG}")
        begin, end = min(request.at for request in locust.requests), time.time()
        if code != FAILED:
            time.sleep(self._lag)
            if not self._could_read(end):
                code = code or FAILED
        code = code or int(any(request.failed for request in locust.requests))
        self._sum_up(locust, begin, end, docs, code)
        return code

    def serve(self) -> int:
        """Locust's own page until Ctrl-C. Raises UsageError, and KeyboardInterrupt."""
        self._prepare()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with self._delays(), self._locust(port) as locust:
            print(f"locust: http://127.0.0.1:{port}, until Ctrl-C", flush=True)
            while (code := locust.wait(EVERY)) is None:
                pass
        raise UsageError(f"locust has ended with {code}: see {LOG}")

    def _prepare(self) -> None:
        """See that the users exist, and that the logs can be read. Raises UsageError."""
        for target in self._targets:
            people.prepare(target.url, self._token, 0 if self._laptop else 1 / self._plan.rate, self._plan.users)
        self._read(time.time())

    def _delays(self) -> AbstractContextManager[None]:
        return injected(self._laptop.home) if self._laptop else nullcontext()

    def _locust(self, port: int | None = None) -> Locust:
        return Locust({target.name: target.url for target in self._targets}, self._plan, self._token, port)

    def _watch(self, locust: Locust) -> int:
        """Print the latest numbers until locust ends, or a log cannot be read; the exit code."""
        begin = time.time()
        height = 0
        while (code := locust.wait(EVERY)) is None:
            now = time.time()
            if not self._could_read(now - self._lag):
                return FAILED
            began = locust.requests[0].at if locust.requests else now
            requests, metrics = ((max(began, end - SHOWN), end) for end in (now, now - self._lag))
            lines = table(f"{now - begin:.0f} s", self._lines(locust, requests, metrics))
            if height and sys.stdout.isatty():
                print(f"\x1b[{height}A\x1b[J", end="")
            print(*lines, "", sep="\n", flush=True)
            height = len(lines) + 1
        return code

    def _could_read(self, until: float) -> bool:
        """Whether the metric lines up to that time are read; if not, stderr has the reason."""
        try:
            self._read(until)
        except UsageError as error:
            print(error, file=sys.stderr)
            return False
        return True

    def _read(self, until: float) -> None:
        """Read the metric lines up to that time. Raises UsageError."""
        if until <= self._read_until:
            return
        for target in self._targets:
            if target.stack:
                self._times[target.name] += metric_log.read(target.stack, self._read_until, until)
        self._read_until = until

    def _lines(self, locust: Locust, requests: Window, metrics: Window) -> dict[str, dict[str, Line]]:
        """By target, the requests and metric lines of these times."""
        return {
            name: summary.of_requests(
                [one for one in list(locust.requests) if one.target == name and one.at >= requests[0]],
                _seconds(requests),
            )
            | summary.of_upstreams([one for one in times if one.at >= metrics[0]], _seconds(metrics))
            for name, times in self._times.items()
        }

    def _sum_up(self, locust: Locust, begin: float, end: float, docs: bool, code: int) -> None:
        lines = self._lines(locust, (begin, end), (begin, end))
        result: dict[str, Any] = {
            "seconds": round(end - begin),
            "users": self._plan.users,
            "rate": self._plan.rate,
            "delays": {name: delay.milliseconds for name, delay in DELAYS.items()} if self._laptop else {},
            "targets": {
                target.name: {
                    "numbers": {name: asdict(line) for name, line in lines[target.name].items()},
                    "series": summary.over_time(self._times[target.name], begin),
                }
                for target in self._targets
            },
        }
        print(*table(f"all {result['seconds']} s", lines), sep="\n")
        if self._laptop:
            print(delayed())
        plot.store(result, FOLDER)
        if docs and code == 0 and self._laptop and set(self._times) == set(LOCAL_STACKS):
            plot.store(result, plot.DOCS)
        elif docs:
            print(f"docs/{plot.DATA} stays as it is: DOCS=1 needs both stacks of the laptop and no failed request")
        print(f"numbers and picture: {FOLDER}/{plot.DATA}, {plot.PICTURE}")
        if REPORT.exists():
            print(f"locust's report: {REPORT}")


def _seconds(window: Window) -> float:
    """At least 1, since a rate of less says nothing."""
    return max(window[1] - window[0], 1)
