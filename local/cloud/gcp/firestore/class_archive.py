"""Makes the archive of the emulator's classes: `python -m local.cloud.gcp.firestore.class_archive JAR FOLDER`.

The process must lead its session. FOLDER gets `classes.jsa`, which Java writes when an emulator that was warmed up
ends, and the emulator's `log`.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from local.cloud.common.processes import Processes
from local.cloud.gcp.firestore.emulator import GoogleEmulator
from local.cloud.gcp.firestore.java import class_archive

WRITES_WITHIN = 60  # seconds


async def make(jar: Path, folder: Path) -> None:
    archive, unfinished = folder / class_archive(jar).name, folder / "unfinished"
    processes = Processes()
    try:
        emulator = await GoogleEmulator.start(processes, jar, folder / "log", unfinished)
        await emulator.ready()
        if await emulator.close(WRITES_WITHIN) == -signal.SIGKILL:
            unfinished.unlink(missing_ok=True)
            sys.exit(f"Java has not written the archive within {WRITES_WITHIN} s")
    finally:
        await processes.stop_all(grace=0)
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())  # a power cut must not leave a part of it, which would crash Java
    unfinished.rename(archive)


if __name__ == "__main__":
    asyncio.run(make(*map(Path, sys.argv[1:])))
