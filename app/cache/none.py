"""No cache: every lookup is bypassed."""

from collections.abc import Mapping, Sequence

from app.cache import Lookup


class NoCache:
    name = "none"

    def get(self, keys: Sequence[str]) -> Lookup:
        return Lookup(bypassed=True)

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        return False

    def invalidate(self, keys: Sequence[str]) -> None:
        pass

    def close(self) -> None:
        pass
