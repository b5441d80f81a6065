"""Firestore on the laptop: Google's emulator if it is installed, else the built-in server.

`python -m local.cloud.firestore_emulator`, with FIRESTORE_EMULATOR_HOST set, warms an emulator up.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from local.cloud.listener import HOST, free_port
from local.cloud.processes import Child, Processes

JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
STARTS_WITHIN = 30  # seconds


class BuiltIn:
    kind = "built-in"

    def __init__(self) -> None:
        from local.cloud.firestore import FirestoreServer  # costs 0.3 s, for nothing if the emulator is there

        self._server = FirestoreServer()
        self._server.start()
        self.address = f"{HOST}:{self._server.port}"

    async def clear(self, project: str, database: str) -> None:
        await asyncio.to_thread(self._server.clear, project, database)

    async def close(self) -> None:
        await asyncio.to_thread(self._server.stop)


class GoogleEmulator:
    """https://cloud.google.com/firestore/docs/emulator; a child process in Java."""

    kind = "google-emulator"

    def __init__(self, address: str, child: Child) -> None:
        self.address = address
        self._child = child

    @classmethod
    async def start(cls, processes: Processes, jar: Path, log: Path) -> "GoogleEmulator":
        port = free_port()
        command = ["java", "-Duser.language=en", "-cp", jar, MAIN_CLASS, "--host", HOST, "--port", str(port)]
        child = await processes.start(command, log.parent, dict(os.environ), log)
        async with asyncio.timeout(STARTS_WITHIN):
            while not await asyncio.to_thread(_answers, f"http://{HOST}:{port}/"):
                if child.exited.done():
                    raise OSError(f"Google's Firestore emulator did not start: see {log}")
                await asyncio.sleep(0.05)
        await asyncio.to_thread(warm_up, f"{HOST}:{port}")
        return cls(f"{HOST}:{port}", child)

    async def clear(self, project: str, database: str) -> None:
        """https://firebase.google.com/docs/emulator-suite/connect_firestore#clear_your_database_between_tests"""
        url = f"http://{self.address}/emulator/v1/projects/{project}/databases/{database}/documents"
        await asyncio.to_thread(lambda: urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close())

    async def close(self) -> None:
        await self._child.stop(grace=0)


type Firestore = BuiltIn | GoogleEmulator


async def start(processes: Processes, log: Path) -> Firestore:
    jar = emulator_jar()
    return await GoogleEmulator.start(processes, jar, log) if jar else BuiltIn()


def emulator_jar() -> Path | None:
    """Google's emulator in the SDK that `gcloud` on PATH belongs to, or where its Debian package puts it."""
    if not shutil.which("java"):
        return None
    gcloud = shutil.which("gcloud")
    sdks = ([Path(gcloud).resolve().parents[1]] if gcloud else []) + [Path("/usr/lib/google-cloud-sdk")]
    return next((sdk / JAR for sdk in sdks if (sdk / JAR).exists()), None)


def warm_up(address: str) -> None:
    """Makes each kind of call once: in a young JVM it can take longer than the app waits for an answer.

    In a process of its own, since the client takes the address from the environment. Raises OSError if it fails.
    """
    command = [sys.executable, "-m", "local.cloud.firestore_emulator"]
    result = subprocess.run(command, env=os.environ | {"FIRESTORE_EMULATOR_HOST": address}, capture_output=True)
    if result.returncode:
        last_line = result.stderr.decode().strip().rpartition("\n")[2]
        raise OSError(f"Google's Firestore emulator at {address} does not work: {last_line}")


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


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


if __name__ == "__main__":
    _make_each_call()
