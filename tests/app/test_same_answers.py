"""Random operations have the same answers on a real store and in memory."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.data import DataClient, UserExists, VersionConflict
from app.data.memory import MemoryDataClient
from app.metrics import Metrics
from app.model import User
from tests.app.stores import NewDataClient, on_real_stores

type Call = Callable[[Any], Any]

RUNS = settings(
    max_examples=settings().max_examples // 10,  # each is a run of up to 20 steps
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

ids = st.sampled_from(["1", "2", "a", "A", "b.c"])
users = st.builds(
    User,
    id=ids,
    name=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20),
    followers=st.lists(ids, unique=True).map(tuple),
    version=st.just(""),
    profile_pic=st.none() | st.binary(max_size=50).map(lambda rest: b"GIF89a" + rest),
)


class SameAnswers(RuleBasedStateMachine):
    """Each rule makes one call to both stores. Every write has a new version, as in the use cases."""

    tally: Counter[str]

    def new(self) -> DataClient:
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        self.tally["runs"] += 1
        self._real, self._memory = self.new(), MemoryDataClient()
        self._revisions: dict[tuple[DataClient, str], Any] = {}
        self._writes = 0
        self._last: Call = lambda data: None

    @rule(user=users)
    def create(self, user: User) -> None:
        new = self._version(user)
        self._write(lambda data: data.create_user(new))

    @rule(user_id=ids)
    def read(self, user_id: str) -> None:
        """Remember what is there, for a write that may come when it has changed."""
        self._same(lambda data: self._read(data, user_id))

    @rule(user=users)
    def replace(self, user: User) -> None:
        new = self._version(user)
        self._write(lambda data: self._with_revision(data, user.id, lambda old: data.replace_user(new, old)))

    @rule(user_id=ids)
    def delete_what_was_read(self, user_id: str) -> None:
        self._write(lambda data: self._with_revision(data, user_id, lambda old: data.delete_user(user_id, old)))

    @rule(user_id=ids)
    def delete(self, user_id: str) -> None:
        self._write(lambda data: data.delete_user(user_id))

    @rule(several=st.lists(users, max_size=4, unique_by=lambda user: user.id))
    def put(self, several: list[User]) -> None:
        new = [self._version(user) for user in several]
        self._write(lambda data: data.put_users(new))

    @rule()
    def repeat_the_last_write(self) -> None:
        """Repeat the last write, like a client that lost the answer."""
        self._same(self._last)

    @rule(user_id=ids)
    def get(self, user_id: str) -> None:
        self._same(lambda data: _user(data, user_id))

    @rule(user_ids=st.lists(ids, max_size=6))
    def get_many(self, user_ids: list[str]) -> None:
        self._same(lambda data: data.get_users(user_ids))

    @rule(limit=st.integers(1, 4))
    def walk(self, limit: int) -> None:
        self._same(lambda data: sorted(_walk(data, limit), key=lambda user: user.id))

    @invariant()
    def whole_lists_are_equal(self) -> None:
        self._same(lambda data: {user.id: user for user in data.list_users(100)})

    def _read(self, data: DataClient, user_id: str) -> User | None:
        stored = data.get_user(user_id)
        if stored:
            self._revisions[data, user_id] = stored.revision
        return stored and stored.user

    def _with_revision(self, data: DataClient, user_id: str, write: Call) -> Any:
        return write(self._revisions[data, user_id]) if (data, user_id) in self._revisions else "never read"

    def _version(self, user: User) -> User:
        self._writes += 1
        return msgspec.structs.replace(user, version=f"v{self._writes}")

    def _write(self, call: Call) -> None:
        self._last = call
        self._same(call)

    def _same(self, call: Call) -> None:
        self.tally["calls compared"] += 1
        assert _outcome(call, self._real) == _outcome(call, self._memory)


def _outcome(call: Call, data: DataClient) -> Any:
    """What comes back, or the kind of refusal."""
    try:
        return call(data)
    except (UserExists, VersionConflict) as refusal:
        return type(refusal)


def _user(data: DataClient, user_id: str) -> User | None:
    stored = data.get_user(user_id)
    return stored and stored.user


def _walk(data: DataClient, limit: int) -> list[Any]:
    met: list[Any] = []
    while page := list(data.list_users(limit, met[-1].id if met else None)):
        met += page
    return met


@pytest.mark.fuzz
@on_real_stores()
def test_same_answers_as_memory(new_data_client: NewDataClient, metrics: Metrics, tally: Counter[str]) -> None:
    class Machine(SameAnswers):
        def new(self) -> DataClient:
            return new_data_client(metrics)

    Machine.tally = tally
    run_state_machine_as_test(Machine, settings=RUNS)  # pyright: ignore[reportUnknownMemberType]
