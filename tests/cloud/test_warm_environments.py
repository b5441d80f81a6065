"""Which environments the Lambda service keeps warm, and for how long. The environments are not processes here."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from math import inf
from pathlib import Path
from typing import Any, cast

import pytest

from local.cloud.aws.lambda_ import service as lambda_service
from local.cloud.aws.lambda_.runtime_api import Invocation
from local.cloud.aws.lambda_.service import LambdaService
from local.cloud.aws.moto_server import Aws, Function
from local.cloud.common.code import CodeFolder
from tests.cloud.conftest import zipped


class Environment:
    def __init__(self, function: Function, idle_since: float) -> None:
        self.function = function
        self.idle_since = idle_since
        self.alive = True
        self.busy = 0
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.closable, self.closed = asyncio.Event(), asyncio.Event()
        self.closable.set()

    async def invoke(self, invocation: Invocation) -> bytes:
        self.busy += 1
        assert self.busy == 1, "it serves one request at a time"
        self.begun.set()
        await self.go_on.wait()
        self.busy -= 1
        return b""

    async def close(self) -> None:
        await self.closable.wait()
        self.closed.set()


class NoCredentials:
    async def ask(self, read: object) -> dict[str, str]:
        return {}


def function(name: str) -> Function:
    return Function(name, "1", "arn", "main.handler", "role", "eu-west-1", 128, 3, "", (), None, zipped(""))


type Test = Callable[[LambdaService, Callable[[Environment], None]], Awaitable[None]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Test], None]:
    """Runs a test with a service, and with a function that adds the environment that starts next."""
    monkeypatch.setattr(lambda_service, "KEPT_WARM", 0.01)
    next_ones: list[Environment] = []

    async def start(*_: object) -> Environment:
        return next_ones.pop(0)

    monkeypatch.setattr(lambda_service.Environment, "start", start)

    async def with_service(test: Test) -> None:
        service = LambdaService(cast(Aws, NoCredentials()), cast(Any, None), CodeFolder(tmp_path))
        async with asyncio.timeout(30):
            await test(service, next_ones.append)
        await service.close()

    return lambda test: asyncio.run(with_service(test))


def test_a_function_without_environments_is_forgotten_with_its_code(run: Callable[[Test], None]):
    async def test(service: LambdaService, add: Callable[[Environment], None]) -> None:
        forgotten = asyncio.Event()
        deleted = function("deleted")
        weakref.finalize(deleted, forgotten.set)
        environment = Environment(deleted, -inf)
        environment.go_on.set()
        add(environment)
        await service.invoke(deleted, b"{}", "")
        del deleted, environment
        await forgotten.wait()

    run(test)


def test_an_environment_that_waits_while_the_janitor_passes_is_used_once(run: Callable[[Test], None]):
    async def test(service: LambdaService, add: Callable[[Environment], None]) -> None:
        def invoke(function: Function) -> asyncio.Task[bytes]:
            return asyncio.create_task(service.invoke(function, b"{}", ""))

        wanted, other = function("wanted"), function("other")
        warm, dead, new = (Environment(wanted, inf) for _ in range(3))
        cold = Environment(other, -inf)
        requests: list[asyncio.Task[bytes]] = []
        for environment in (warm, dead):
            add(environment)
            requests.append(invoke(wanted))
            await environment.begun.wait()
        for environment, request in zip((warm, dead), requests, strict=True):
            environment.go_on.set()
            await request
            environment.go_on.clear()
        dead.alive = False
        dead.closable = cold.closed  # which is when the janitor has passed
        add(cold)
        add(new)
        cold.go_on.set()
        requests = [invoke(wanted), invoke(other)]
        await dead.closed.wait()
        requests.append(invoke(wanted))
        warm.go_on.set()
        new.go_on.set()
        await asyncio.gather(*requests)

    run(test)
