"""Firestore on the laptop: Google's emulator if it is installed, else the built-in server.

`python -m local.cloud.gcp.firestore.emulator`, with FIRESTORE_EMULATOR_HOST set, warms an emulator up with a call of
each kind, since the first one in a new JVM can exceed the app's deadline.
"""

import asyncio
import os
import sys
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.cloud.common.listener import HOST, free_port
from local.cloud.common.processes import Child, Processes
from local.cloud.gcp.firestore.java import emulator_command, emulator_jar

STARTS_WITHIN = 120  # seconds
WARM_UP = [sys.executable, "-m", "local.cloud.gcp.firestore.emulator"]
CLEARS_WITHIN = 30  # seconds
LOST = "Firestore's emulator died, and its data with it"


class BuiltIn:
    kind = "built-in"
    lost = ""

    def __init__(self) -> None:
        from local.cloud.gcp.firestore.server import FirestoreServer  # takes 0.3 s, and the emulator does not need it

        self._server = FirestoreServer()
        self._server.start()
        self.address = f"{HOST}:{self._server.port}"

    async def ready(self) -> None:
        pass

    async def clear(self, project: str, database: str) -> None:
        await asyncio.to_thread(self._server.clear, project, database)

    async def close(self) -> None:
        await asyncio.to_thread(self._server.stop)


class GoogleEmulator:
    """Google's emulator, a child process in Java: https://cloud.google.com/firestore/docs/emulator."""

    kind = "google-emulator"

    def __init__(self, address: str, child: Child, log: Path, works: Awaitable[None]) -> None:
        """`works` completes when the emulator is warmed up, and raises OSError if a call fails."""
        self.address = address
        self._child = child
        self._log = log
        self._started = asyncio.create_task(self._start(works))
        self._started.add_done_callback(_report_failure)

    @classmethod
    async def start(
        cls, processes: Processes, jar: Path, log: Path, new_archive: Path | None = None
    ) -> "GoogleEmulator":
        """Returns while the emulator starts, which takes seconds; `ready` waits. Raises OSError if Java cannot run."""
        address = f"{HOST}:{free_port()}"
        command = emulator_command(jar, address, new_archive)
        child = await processes.start(command, log.parent, dict(os.environ), log)
        return cls(address, child, log, _await_work(address, processes, log))

    async def _start(self, works: Awaitable[None]) -> None:
        working = asyncio.ensure_future(works)
        try:
            await asyncio.wait({working, self._child.exited}, timeout=STARTS_WITHIN, return_when=FIRST_COMPLETED)
            if not working.done():
                ended = self._child.exited.done()
                how = "ended" if ended else f"did not answer within {STARTS_WITHIN} seconds"
                again = "mend that, then `make down` and `make up`"
                raise OSError(f"Google's Firestore emulator {how} while it started: see {self._log}, {again}")
            await working
            self._child.exited.add_done_callback(_report_loss)
        except Exception:
            self._child.kill()
            raise
        finally:
            working.cancel()

    async def ready(self) -> None:
        """Returns when the emulator is warmed up. Raises OSError if it could not start."""
        await asyncio.shield(self._started)

    @property
    def lost(self) -> str:
        """LOST if the emulator died after its start. It is not started again, since its data would still be missing."""
        started = self._started.done() and not self._started.cancelled() and not self._started.exception()
        return LOST if started and not self._child.alive else ""

    async def clear(self, project: str, database: str) -> None:
        """Deletes all documents.

        https://firebase.google.com/docs/emulator-suite/connect_firestore#clear_your_database_between_tests
        """
        path = f"/emulator/v1/projects/{quote(project, safe='')}/databases/{quote(database, safe='')}/documents"
        try:
            status = await asyncio.to_thread(_ask, self.address, "DELETE", path, CLEARS_WITHIN)
        except (OSError, HTTPException):
            self._child.kill()  # it died or hangs, so its data is lost either way
        else:
            if status != HTTPStatus.OK:
                raise OSError(f"Google's Firestore emulator answered {status} to DELETE {path}")

    async def close(self, grace: float = 0) -> int:
        """Ends it, by SIGKILL after `grace` seconds; returns the exit code, which is negative for a signal."""
        self._started.cancel()
        self._child.exited.remove_done_callback(_report_loss)
        await self._child.stop(grace)
        return await self._child.exited


async def _await_work(address: str, processes: Processes, log: Path) -> None:
    """Returns when the emulator is warmed up. Raises OSError if a call fails."""
    while not await asyncio.to_thread(_answers, address):
        await asyncio.sleep(0.05)
    environment = os.environ | {"FIRESTORE_EMULATOR_HOST": address}
    warming = await processes.start(WARM_UP, Path.cwd(), environment, log)
    try:
        if await asyncio.shield(warming.exited):
            raise OSError(f"Google's Firestore emulator at {address} does not work: see {log}")
    finally:
        warming.kill()


def _report_failure(started: asyncio.Task[None]) -> None:
    if not started.cancelled() and (error := started.exception()):
        print(error, file=sys.stderr, flush=True)


def _report_loss(_: asyncio.Future[int]) -> None:
    print(LOST, file=sys.stderr, flush=True)


type Firestore = BuiltIn | GoogleEmulator


async def start(processes: Processes, log: Path) -> Firestore:
    jar = emulator_jar()
    return await GoogleEmulator.start(processes, jar, log) if jar else BuiltIn()


def _make_each_call() -> None:
    from google.cloud.firestore import Client

    client: Any = Client(project="warm-up")
    documents = [client.collection("users").document(f"u{i}") for i in range(5)]
    for document in documents:
        document.create({"name": "warm"}, timeout=STARTS_WITHIN)
        document.update({"name": "warmer"}, timeout=STARTS_WITHIN)
        document.get(timeout=STARTS_WITHIN)
    list(client.get_all(documents, field_paths=["name"], timeout=STARTS_WITHIN))
    list(client.collection("users").order_by("__name__").limit(2).stream(timeout=STARTS_WITHIN))
    for document in documents:
        document.delete(timeout=STARTS_WITHIN)


def _answers(address: str) -> bool:
    try:
        _ask(address, "GET", "/", 5)
    except (OSError, HTTPException):
        return False
    return True


def _ask(address: str, method: str, path: str, timeout: float) -> int:
    """The status of the answer. Raises OSError or HTTPException."""
    with closing(HTTPConnection(address, timeout=timeout)) as emulator:
        emulator.request(method, path)
        return emulator.getresponse().status


if __name__ == "__main__":
    _make_each_call()
