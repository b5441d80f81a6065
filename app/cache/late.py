"""A cache that is imported and made by the first call to it."""

from collections.abc import Callable, Mapping, Sequence

from app.cache import Cache, Lookup
from app.late import Late


class LateCache:
    def __init__(self, name: str, make: Callable[[], Cache]) -> None:
        self.name = name
        self._cache = Late(make)

    def get(self, keys: Sequence[str]) -> Lookup:
        return self._cache().get(keys)

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        return self._cache().fill(entries)

    def invalidate(self, keys: Sequence[str]) -> None:
        self._cache().invalidate(keys)

    def close(self) -> None:
        if self._cache.made:
            self._cache.made.close()
