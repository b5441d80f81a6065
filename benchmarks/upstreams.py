"""DynamoDB Local, Google's Firestore emulator and the laptop's Momento, behind wires that count and delay."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from app.settings import CacheSettings
from tests.app import servers


@dataclass(frozen=True)
class Counted:
    """Calls to a store and to the cache, and bytes in both directions."""

    store: int
    cache: int
    bytes: int


class Upstreams:
    """`dynamodb` is a URL, `firestore` host:port."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        cache, addresses = self._answer(), self._answer()
        self.dynamodb, self.firestore = f"http://{addresses['dynamodb']}", addresses["firestore"]
        self.cache = replace(CacheSettings(**cache), endpoint=f"http://{addresses['momento']}")

    def count(self) -> Counted:
        """What has gone over the wires since the last time."""
        wires = self._ask("counts")
        dynamodb, firestore, momento = (wires[name] for name in ("dynamodb", "firestore", "momento"))
        return Counted(dynamodb[0] + firestore[0], momento[0], dynamodb[1] + firestore[1] + momento[1])

    def clear_cache(self) -> None:
        self._ask("clear")

    def _ask(self, question: str) -> Any:
        assert self._process.stdin
        print(question, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout
        if not (line := self._process.stdout.readline()):
            sys.exit("the wires have ended: the error is above")
        return json.loads(line)


@contextmanager
def upstreams() -> Generator[Upstreams]:
    """Raises NotInstalled if one of them is not."""
    pipe = subprocess.PIPE
    with servers.dynamodb_local() as dynamodb, servers.google_firestore() as firestore:
        targets = [f"dynamodb={dynamodb.removeprefix('http://')}", f"firestore={firestore}"]
        command = [sys.executable, "-m", "benchmarks.wire", *targets]
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
            yield Upstreams(process)
