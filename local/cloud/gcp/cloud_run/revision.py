"""A Cloud Run revision, which starts and stops instances and chooses one for each request."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from local.cloud.gcp.cloud_run.instance import Instance, StartError
from local.cloud.gcp.cloud_run.spec import Spec

LONGEST_QUEUE = 10.0  # seconds that a request waits for a free instance
PAUSE_AFTER_FAILURE = 1.0  # seconds
IDLE_TIME = 60.0  # seconds after which an instance above the minimum is stopped


class NoInstance(Exception):
    """All instances are busy and no more may start: Cloud Run's 429."""


class Revision:
    """Keeps at least one instance, so that no request waits for a start; Cloud Run scales down to none."""

    def __init__(
        self, name: str, spec: Spec, start: Callable[[], Awaitable[Instance]], has_room: Callable[[], bool]
    ) -> None:
        """`has_room` says whether the service may have one more instance."""
        self.name = name
        self.spec = spec
        self.minimum = 1
        self._start_instance = start
        self._has_room = has_room
        self._instances: list[Instance] = []
        self._starting = False
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy_at = time.monotonic()

    @property
    def size(self) -> int:
        """The number of instances, including one that is starting."""
        return len(self._instances) + self._starting

    async def start(self) -> None:
        """Starts instances up to the minimum. Raises StartError if one does not start."""
        await asyncio.gather(*(self._add() for _ in range(self.minimum - len(self._instances))))

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        instances, self._instances = self._instances, []
        await asyncio.gather(*(instance.stop() for instance in instances))
        await asyncio.gather(*tasks, return_exceptions=True)  # which stop what they were starting

    @asynccontextmanager
    async def instance(self) -> AsyncGenerator[Instance]:
        """The least busy instance, for one request. Raises NoInstance."""
        instance = await self._take()
        try:
            yield instance
        finally:
            instance.in_flight -= 1
            self._busy_at = time.monotonic()
            async with self._changed:
                self._changed.notify()

    async def _take(self) -> Instance:
        try:
            async with asyncio.timeout(LONGEST_QUEUE), self._changed:
                while True:
                    free = [i for i in self._instances if i.alive and i.in_flight < self.spec.concurrency]
                    if free:
                        instance = min(free, key=lambda one: one.in_flight)
                        instance.in_flight += 1
                        return instance
                    if self._has_room():
                        self._grow(self.spec.max_instances)
                    await self._changed.wait()
        except TimeoutError as error:
            raise NoInstance from error

    async def _add(self) -> None:
        instance = await self._start_instance()
        self._instances.append(instance)
        self._background(self._watch(instance))

    def _grow(self, limit: int) -> None:
        """Starts one more instance unless there are `limit`, or one is starting already."""
        if not self._starting and len(self._instances) < limit:
            self._starting = True
            self._background(self._add_or_report())

    async def _add_or_report(self) -> None:
        try:
            await self._add()
        except StartError as error:
            print(f"Cloud Run: {self.name}: {error}", file=sys.stderr)
            await asyncio.sleep(PAUSE_AFTER_FAILURE)
        finally:
            self._starting = False
            async with self._changed:
                self._changed.notify_all()

    async def _watch(self, instance: Instance) -> None:
        """Replaces the instance if it dies; stops it if it is idle and above the minimum."""
        while not instance.exited.done():
            await asyncio.wait({instance.exited}, timeout=IDLE_TIME / 4)
            idle = not instance.in_flight and time.monotonic() > self._busy_at + IDLE_TIME
            if idle and len(self._instances) > self.minimum:
                break
        self._instances.remove(instance)
        await instance.stop()
        self._grow(self.minimum)

    def _background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
