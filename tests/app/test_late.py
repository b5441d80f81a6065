"""Values that are made late."""

from threading import Barrier, Thread

import pytest

from app.cache.late import LateCache
from app.cache.none import NoCache
from app.late import Late

THREADS = 50


def test_threads_share_one_value() -> None:
    made: list[object] = []
    at_once, seen = Barrier(THREADS), list[object]()

    def make() -> object:
        made.append(object())
        return made[0]

    late = Late(make)

    def use() -> None:
        at_once.wait()
        seen.append(late())

    threads = [Thread(target=use) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert seen == made * THREADS


def test_what_could_not_be_made_is_tried_again() -> None:
    answers = iter([ValueError("not yet"), "made"])

    def make() -> str:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    late = Late(make)
    with pytest.raises(ValueError, match="not yet"):
        late()
    assert [late(), late()] == ["made", "made"]


def test_closing_makes_no_cache() -> None:
    closed: list[str] = []

    class Closed(NoCache):
        def close(self) -> None:
            closed.append("closed")

    cache = LateCache("none", Closed)
    cache.close()
    assert closed == []
    assert cache.get(["a"]).bypassed
    cache.close()
    assert closed == ["closed"]
