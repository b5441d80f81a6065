"""The cache's quota: what reads and writes do while it is exceeded."""

import grpc

from app.cache import LIMIT_EXCEEDED
from app.cache.breaker import FAILURES, LIMIT_PAUSE_SECONDS, CircuitBreaker
from app.cache.momento import MomentoCache
from app.data.memory import MemoryDataClient
from app.model import UserInput
from app.users import Users
from local.cloud.momento import OVER_QUOTA, MomentoServer
from tests.app.test_breaker import Clock

ANN = UserInput(id="1", name="Ann")
NEW = UserInput(id="1", name="New Ann")


def refuse(method: str, context: grpc.ServicerContext) -> None:
    context.set_trailing_metadata(OVER_QUOTA)
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "")


def test_over_the_quota_the_store_answers_and_a_second_later_the_cache(
    cache: MomentoCache, momento_server: MomentoServer
) -> None:
    clock = Clock()
    users = Users(MemoryDataClient(), CircuitBreaker(cache, clock))
    users.create(ANN)
    users.get_cached("1")
    momento_server.fault = refuse
    outcomes = [users.get_cached("1") for _ in range(FAILURES + 1)]
    momento_server.fault = None
    outcomes.append(users.get_cached("1"))
    assert {user.name for user, _ in outcomes} == {"Ann"}
    assert [(outcome.error, outcome.stored) for _, outcome in outcomes] == [(LIMIT_EXCEEDED, False)] * (FAILURES + 2)
    clock.time += LIMIT_PAUSE_SECONDS
    assert users.get_cached("1")[1].hits == 1


def test_a_write_invalidates_while_reads_wait_for_the_quota(cache: MomentoCache, momento_server: MomentoServer) -> None:
    clock = Clock()
    users = Users(MemoryDataClient(), CircuitBreaker(cache, clock))
    users.create(ANN)
    users.get_cached("1")
    momento_server.fault = refuse
    users.get_cached("1")
    momento_server.fault = None
    users.put(NEW, lambda version: None)
    clock.time += LIMIT_PAUSE_SECONDS
    assert users.get_cached("1")[0].name == "New Ann"
