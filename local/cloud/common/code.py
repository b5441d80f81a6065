"""A folder of unpacked code, which is removed when nothing uses it any more."""

import asyncio
import hashlib
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Container
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from local.cloud.common.unpack import remove, unpack


class CodeFolder:
    """Has a folder <sha256> for each archive. To be used in one event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._users = Counter[str]()
        self._newest: Path | None = None

    @asynccontextmanager
    async def using(self, archive: bytes) -> AsyncGenerator[Path]:
        """The folder of an archive, which stays as long as the context. Raises ValueError if it is no zip or tar.gz."""
        digest = await asyncio.to_thread(lambda: hashlib.sha256(archive).hexdigest())
        self._users[digest] += 1  # before a thread looks for the folder, so that `tidy` cannot come between
        try:
            self._newest = await asyncio.to_thread(unpack, archive, self._folder / digest, self._newest)
            yield self._folder / digest
        finally:
            self._users[digest] -= 1

    def tidy(self, kept: Container[str] = ()) -> None:
        """Removes the folders that nothing uses, except those of the archives with the digests `kept`.

        It renames them at once, and a thread deletes them. `using` unpacks an archive again when that is needed.
        """
        for digest, users in list(self._users.items()):
            if not users and digest not in kept:
                del self._users[digest]
                unused = self._folder / f"{digest}.{secrets.token_hex(4)}"
                with suppress(FileNotFoundError):
                    (self._folder / digest).rename(unused)
                asyncio.get_running_loop().run_in_executor(None, remove, unused)
