"""The log of a function's version.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

import time
from dataclasses import dataclass
from pathlib import Path

from local.cloud.aws.moto_server import Function


@dataclass(frozen=True)
class Log:
    """What all environments of a version print, and Lambda about them."""

    path: Path
    version: str

    @classmethod
    def of(cls, folder: Path, function: Function) -> "Log":
        return cls(folder / f"lambda-{function.name}-{function.version}.log", function.version)

    @property
    def size(self) -> int:
        """In bytes."""
        return self.path.stat().st_size if self.path.exists() else 0

    def last_line(self, begin: int) -> str:
        """The last line after the first `begin` bytes."""
        with self.path.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace").strip().rpartition("\n")[2]

    def write(self, line: str) -> None:
        with self.path.open("a") as log:
            print(line, file=log)

    def start(self, request_id: str) -> None:
        self.write(f"START RequestId: {request_id} Version: {self.version}")

    def end(self, request_id: str, begun: float) -> None:
        """`begun` is a reading of time.monotonic()."""
        duration = (time.monotonic() - begun) * 1000
        self.write(f"END RequestId: {request_id}")
        self.write(f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms")
