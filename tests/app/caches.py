"""Clients of all caches, for the conformance tests. A new cache needs an entry in CACHES."""

import io
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from app.cache import Cache, Lookup
from app.cache.momento import MomentoCache
from app.metrics import Metrics
from local.cloud.momento import MomentoServer
from tests.app.servers import MOMENTO_API_KEY, momento_cache

type NewCache = Callable[[], Cache]
"""Creates another client of the same cache."""


class MemoryCache:
    """A cache in this process, in which nothing expires: an invalidated key is never filled again."""

    name = "momento"  # so that the app reports it as Momento

    def __init__(self) -> None:
        self._entries: dict[str, bytes] = {}
        self._invalidated: set[str] = set()

    def get(self, keys: Sequence[str]) -> Lookup:
        if not keys:
            return Lookup(bypassed=True)
        return Lookup({key: self._entries[key] for key in keys if key in self._entries})

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        new = {key: entries[key] for key in entries.keys() - self._entries.keys() - self._invalidated}
        self._entries |= new
        return bool(entries) and new.keys() == entries.keys()

    def invalidate(self, keys: Sequence[str]) -> None:
        self._invalidated.update(keys)
        for key in keys:
            self._entries.pop(key, None)

    def close(self) -> None:
        pass


@contextmanager
def memory() -> Generator[NewCache]:
    cache = MemoryCache()
    yield lambda: cache


@contextmanager
def momento() -> Generator[NewCache]:
    with MomentoServer(MOMENTO_API_KEY) as server, ExitStack() as clients:
        settings = momento_cache(server)

        def connect() -> Cache:
            client = MomentoCache(settings, lambda: MOMENTO_API_KEY, Metrics(stream=io.StringIO()))
            return clients.enter_context(client)

        yield connect


CACHES: dict[str, Callable[[], AbstractContextManager[NewCache]]] = {"memory": memory, "momento": momento}
