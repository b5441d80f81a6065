"""The Lambda service: an execution environment for each concurrent request, kept warm and reused, most recent first."""

import asyncio
import os
import time
from collections import Counter, defaultdict

from local.cloud.aws.lambda_ import request_ids
from local.cloud.aws.lambda_.environment import Environment, NeverDelivered, ProcessContext
from local.cloud.aws.lambda_.log import Log
from local.cloud.aws.lambda_.runtime_api import MAX_PAYLOAD, FunctionError, Invocation
from local.cloud.aws.moto_server import Aws, Function
from local.cloud.common.code import CodeFolder

ACCOUNT_CONCURRENCY = 100  # environments that run at the same time; AWS allows new accounts 10, and 1,000 later
KEPT_WARM = 300  # seconds


class Throttled(Exception):
    """All of the concurrency is in use: Lambda's 429 TooManyRequestsException."""


class PayloadTooLarge(Exception):
    """Lambda's 413 RequestTooLargeException."""


class LambdaService:
    def __init__(self, aws: Aws, context: ProcessContext, code: CodeFolder) -> None:
        self._aws = aws
        self._context = context
        self._code = code
        self._idle: defaultdict[Function, list[Environment]] = defaultdict(list)
        """Nothing keeps one of the lists while it awaits, since the janitor may remove it meanwhile."""
        self._busy: Counter[str] = Counter()
        self._starts = asyncio.Semaphore(len(os.sched_getaffinity(0)))
        """Limits concurrent starts to the number of processors: more would share them and all exceed INIT_TIMEOUT."""
        self._janitor = asyncio.create_task(self._reap())

    async def prepare(self, arn: str) -> None:
        """Unpacks a function's code, as Lambda does before the function is active. Raises NotFound or ValueError."""
        function = await self.find(arn)
        async with self._code.using(function.code):
            pass

    async def start(self, arn: str) -> None:
        """Starts an environment of a published version, as Lambda does for a snapshot.

        Raises NotFound, FunctionError, and ValueError for an ARN without a version's number.
        """
        if not arn.rpartition(":")[2].isdigit():
            raise ValueError(f"{arn} names no published version")
        function = await self.find(arn)
        async with self._starts:
            environment = await self._new_environment(function)
        self._idle[function].append(environment)

    async def call(self, arn: str, event: bytes) -> bytes:
        """The answer to an event that does not come from an API. Raises NotFound, and what `invoke` raises."""
        return await self.invoke(await self.find(arn), event, trace_id="")

    async def find(self, arn: str) -> Function:
        """The version that an invocation of `arn` runs. Raises NotFound."""
        return await self._aws.ask(lambda: self._aws.function(arn))

    async def invoke(self, function: Function, event: bytes, trace_id: str) -> bytes:
        """The function's answer, JSON. Raises FunctionError, Throttled or PayloadTooLarge."""
        if len(event) > MAX_PAYLOAD:
            raise PayloadTooLarge
        limit = ACCOUNT_CONCURRENCY if function.reserved_concurrency is None else function.reserved_concurrency
        if self._busy[function.name] >= limit or self._busy.total() >= ACCOUNT_CONCURRENCY:
            raise Throttled
        self._busy[function.name] += 1
        try:
            return await self._invoke(function, event, trace_id)
        finally:
            self._busy[function.name] -= 1

    async def _invoke(self, function: Function, event: bytes, trace_id: str) -> bytes:
        while True:
            begun = time.monotonic()
            request_id = request_ids.new()
            try:
                environment = await self._environment(function)
            except FunctionError:
                log = Log.of(self._context.logs, function)
                log.start(request_id)
                log.end(request_id, begun)
                raise
            invocation = Invocation(request_ids.new(), function.arn, event, function.timeout, trace_id)
            try:
                return await environment.invoke(invocation)
            except NeverDelivered:
                continue
            finally:
                if environment.alive:
                    self._idle[function].append(environment)
                else:
                    await environment.close()

    async def _environment(self, function: Function) -> Environment:
        """An idle environment, or a new one if none becomes idle before a start is possible."""
        if environment := await self._idle_environment(function):
            return environment
        async with self._starts:
            return await self._idle_environment(function) or await self._new_environment(function)

    async def _idle_environment(self, function: Function) -> Environment | None:
        while idle := self._idle.get(function):
            environment = idle.pop()
            if environment.alive:
                return environment
            await environment.close()
        return None

    async def _new_environment(self, function: Function) -> Environment:
        credentials = await self._aws.ask(lambda: self._aws.credentials(function.role, function.region, function.name))
        return await Environment.start(self._context, function, self._code.using(function.code), credentials)

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(KEPT_WARM / 10)
            await asyncio.gather(*(environment.close() for environment in self._take_cold()))

    def _take_cold(self) -> list[Environment]:
        """The environments that have been idle for long, which are idle no more."""
        taken: list[Environment] = []
        long_ago = time.monotonic() - KEPT_WARM
        for function, environments in list(self._idle.items()):
            taken += [environment for environment in environments if environment.idle_since < long_ago]
            environments[:] = [environment for environment in environments if environment.idle_since >= long_ago]
            if not environments:
                del self._idle[function]  # which holds the function's code
        return taken

    async def close(self) -> None:
        self._janitor.cancel()
        idle = [environment for environments in self._idle.values() for environment in environments]
        self._idle.clear()
        await asyncio.gather(*(environment.close() for environment in idle))
