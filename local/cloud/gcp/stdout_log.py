"""What the instances of Cloud Run's revisions print, as Cloud Logging's entries.

https://cloud.google.com/run/docs/logging#container-logs. Google's agent gives each line the time at which it reads it;
the laptop gives it that of the next answer that begins, since the app prints a request's lines before it answers.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

KEPT = 100_000  # answers


class StdoutLog:
    """`folder` has a file for each revision of each service."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks: dict[Path, deque[tuple[float, int]]] = defaultdict(lambda: deque([(0.0, 0)], maxlen=KEPT))
        """When the latest answers began, in Unix seconds, and the size of the file then."""

    def file(self, service: str, revision: str) -> Path:
        return self._folder / f"run-{service}-{revision}.log"

    def mark(self, service: str, revision: str, now: float) -> None:
        path = self.file(service, revision)
        self._marks[path].append((now, path.stat().st_size if path.exists() else 0))

    def lines(self, service: str, revision: str, begin: float, end: float) -> Iterator[tuple[float, dict[str, Any]]]:
        """The JSON objects that were printed from `begin` to `end`, oldest first, with their times.

        Copies the marks when it is called, and reads the file when it is iterated.
        """
        path = self.file(service, revision)
        if not path.exists():
            return iter(())
        marks = [*self._marks[path], (path.stat().st_mtime, path.stat().st_size)]
        return _read(path, marks, begin, end)


def _read(
    path: Path, marks: list[tuple[float, int]], begin: float, end: float
) -> Iterator[tuple[float, dict[str, Any]]]:
    first = bisect_left(marks, begin, key=lambda mark: mark[0])
    offsets = [offset for _, offset in marks]
    with path.open("rb") as log:
        position = log.seek(offsets[max(first - 1, 0)])
        for text in log:
            at = marks[min(bisect_right(offsets, position), len(marks) - 1)][0]
            position += len(text)
            if at >= end:
                return
            if at >= begin and (line := _parsed(text)) is not None:
                yield at, line


def _parsed(text: bytes) -> dict[str, Any] | None:
    """None for a line that Cloud Logging keeps as text."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except ValueError:
        return None
