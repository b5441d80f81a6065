from collections.abc import Mapping, Sequence

from app.cache import LIMIT_EXCEEDED, Lookup
from app.cache.breaker import FAILURES, LIMIT_PAUSE_SECONDS, PAUSE_SECONDS, CircuitBreaker


class Asked:
    """A cache that counts its calls and fails while `error` is set."""

    name = "asked"

    def __init__(self) -> None:
        self.error: str | None = "timeout"
        self.bypassed = False
        self.reads = 0
        self.filled: list[str] = []
        self.invalidated: list[str] = []

    def get(self, keys: Sequence[str]) -> Lookup:
        self.reads += 1
        return Lookup(bypassed=True) if self.bypassed else Lookup(error=self.error)

    def fill(self, entries: Mapping[str, bytes]) -> bool:
        self.filled += entries
        return True

    def invalidate(self, keys: Sequence[str]) -> None:
        self.invalidated += keys

    def close(self) -> None:
        pass


class Clock:
    time = 100.0

    def __call__(self) -> float:
        return self.time


def test_a_failing_cache_is_left_alone_until_one_lookup_succeeds() -> None:
    cache, clock = Asked(), Clock()
    breaker = CircuitBreaker(cache, clock)
    errors = [breaker.get(["a"]).error for _ in range(FAILURES + 2)]
    assert errors == ["timeout"] * FAILURES + ["circuit_open"] * 2

    clock.time += PAUSE_SECONDS
    assert [breaker.get(["a"]).error for _ in range(2)] == ["timeout", "circuit_open"]

    clock.time += PAUSE_SECONDS
    cache.error = None
    assert [breaker.get(["a"]).error for _ in range(3)] == [None] * 3


def test_a_snapshot_holds_no_failures() -> None:
    cache = Asked()
    breaker = CircuitBreaker(cache, Clock())
    for _ in range(FAILURES):
        breaker.get(["a"])
    breaker.close()
    assert [breaker.get(["a"]).error for _ in range(FAILURES + 1)] == ["timeout"] * FAILURES + ["circuit_open"]


def test_failures_must_come_in_a_row() -> None:
    cache = Asked()
    breaker = CircuitBreaker(cache)
    for error in ["timeout"] * (FAILURES - 1) + [None] + ["timeout"] * (FAILURES - 1):
        cache.error = error
        breaker.get(["a"])
    cache.error = None
    assert breaker.get(["a"]).error is None


def test_while_one_lookup_tries_the_others_do_not() -> None:
    cache, clock = Asked(), Clock()
    breaker = CircuitBreaker(cache, clock)
    for _ in range(FAILURES):
        breaker.get(["a"])
    clock.time += PAUSE_SECONDS
    during: list[str | None] = []

    class Meanwhile(Asked):
        def get(self, keys: Sequence[str]) -> Lookup:
            during.append(breaker.get(["b"]).error)
            return Lookup()

    cache.get = Meanwhile().get
    assert breaker.get(["a"]).error is None
    assert during == ["circuit_open"]


def test_a_lookup_that_bypasses_the_cache_neither_opens_nor_closes_the_circuit() -> None:
    cache, clock = Asked(), Clock()
    breaker = CircuitBreaker(cache, clock)

    def bypass() -> Lookup:
        cache.bypassed = True
        lookup = breaker.get(["a"] * 1000)
        cache.bypassed = False
        return lookup

    errors = [breaker.get(["a"]).error for _ in range(FAILURES - 1)]
    assert bypass() == Lookup(bypassed=True)
    errors += [breaker.get(["a"]).error for _ in range(2)]
    assert errors == ["timeout"] * FAILURES + ["circuit_open"]
    clock.time += PAUSE_SECONDS
    assert bypass() == Lookup(bypassed=True)
    assert [breaker.get(["a"]).error for _ in range(2)] == ["timeout", "circuit_open"]


def test_a_cache_over_its_limit_is_asked_again_a_second_later() -> None:
    cache, clock = Asked(), Clock()
    breaker = CircuitBreaker(cache, clock)
    cache.error = LIMIT_EXCEEDED
    for _ in range(FAILURES + 1):
        assert [breaker.get(["a"]).error for _ in range(3)] == [LIMIT_EXCEEDED] * 3
        clock.time += LIMIT_PAUSE_SECONDS
    assert cache.reads == FAILURES + 1
    cache.error = None
    assert [breaker.get(["a"]).error for _ in range(3)] == [None] * 3


def test_a_limit_is_no_failure_and_ends_a_row_of_them() -> None:
    cache, clock = Asked(), Clock()
    breaker = CircuitBreaker(cache, clock)
    for error in ["timeout"] * (FAILURES - 1) + [LIMIT_EXCEEDED] + ["timeout"] * (FAILURES - 1) + [None]:
        cache.error = error
        assert breaker.get(["a"]).error == error
        clock.time += LIMIT_PAUSE_SECONDS
    assert cache.reads == 2 * FAILURES


def test_a_cache_that_fails_and_then_answers_that_it_is_over_its_limit_is_asked_a_second_later() -> None:
    cache, clock = Asked(), Clock()
    breaker = CircuitBreaker(cache, clock)
    for _ in range(FAILURES):
        breaker.get(["a"])
    clock.time += PAUSE_SECONDS
    cache.error = LIMIT_EXCEEDED
    assert [breaker.get(["a"]).error for _ in range(2)] == [LIMIT_EXCEEDED] * 2
    clock.time += LIMIT_PAUSE_SECONDS
    cache.error = None
    assert breaker.get(["a"]).error is None


def test_an_open_circuit_fills_nothing() -> None:
    cache, clock = Asked(), Clock()
    breaker = CircuitBreaker(cache, clock)
    assert breaker.fill({"a": b"1"})
    cache.error = LIMIT_EXCEEDED
    breaker.get(["a"])
    assert not breaker.fill({"b": b"1"})
    clock.time += LIMIT_PAUSE_SECONDS
    cache.error = None
    breaker.get(["a"])
    assert breaker.fill({"c": b"1"})
    assert cache.filled == ["a", "c"]


def test_an_open_circuit_still_invalidates() -> None:
    cache = Asked()
    breaker = CircuitBreaker(cache)
    for _ in range(FAILURES):
        breaker.get(["a"])
    breaker.invalidate(["a"])
    assert cache.invalidated == ["a"]
