"""Traffic as of many clients that do not wait for one another."""

import asyncio
import json
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Self

import httpx

from ops.stack import one_line
from rehearsal.calls import Call, Calls

TIMEOUT = 60  # seconds; the front doors give up earlier
LAST = 200  # answers
STORE_TIMEOUT = 1  # second; an attempt of the app may take as long


@dataclass(frozen=True)
class Request:
    """`at` is when it was sent, in Unix seconds. `status` is 0 if there was no answer, `build` is who answered.

    `timed_out` is the app's answer that its store has not answered in time: the computer is busy. It has not failed.
    """

    at: float
    method: str
    status: int
    milliseconds: float
    build: str
    failed: bool
    timed_out: bool = False


class RehearsalError(Exception):
    """The rehearsal cannot begin or go on; the message is one line."""


class Traffic:
    """Sends `rate` requests a second to `url` while its `with` block runs; `requests` are those that have ended.

    It keeps the rate however slow the answers are, until `most` have not been answered yet. Its header `X-Answered`
    says how many of its last answers each build gave.
    """

    def __init__(self, url: str, rate: float, seed: int, most: int) -> None:
        self.requests: list[Request] = []
        self._url = url
        self._rate = rate
        self._room = asyncio.Semaphore(most)
        self._calls = Calls(seed)
        self._builds = deque[str](maxlen=LAST)
        self._over = threading.Event()
        self._ended = threading.Condition()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()), name="traffic")

    def __enter__(self) -> Self:
        try:
            with httpx.Client(base_url=self._url, timeout=TIMEOUT) as client:
                for call in map(self._calls.create, self._calls.users):
                    answer = client.request(call.method, call.path, json=call.body)
                    self._calls.learn(call, answer.raise_for_status())
        except httpx.HTTPError as error:
            raise RehearsalError(f"no users can be created at {self._url}: {one_line(error)}") from None
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until all that was sent has ended."""
        self._over.set()
        self._thread.join()

    def wait(self, count: int) -> None:
        """Wait until `count` more requests have ended."""
        wanted = len(self.requests) + count
        with self._ended:
            while len(self.requests) < wanted:
                if not self._thread.is_alive():
                    raise RehearsalError(f"the traffic to {self._url} has ended by itself")
                self._ended.wait(1)

    async def _send(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with (
            httpx.AsyncClient(base_url=self._url, timeout=TIMEOUT, limits=limits) as client,
            asyncio.TaskGroup() as sent,
        ):
            due = time.monotonic()
            for call in self._calls:
                await asyncio.sleep(due - time.monotonic())
                await self._room.acquire()
                due = max(due + 1 / self._rate, time.monotonic())
                if self._over.is_set():
                    return
                sent.create_task(self._ask(client, call))

    async def _ask(self, client: httpx.AsyncClient, call: Call) -> None:
        at = time.time()
        headers = {"x-answered": json.dumps(Counter(self._builds)), **call.headers}
        try:
            answer = await client.request(call.method, call.path, json=call.body, headers=headers)
        except httpx.TransportError:
            answer = httpx.Response(0)
        self._room.release()
        self._calls.learn(call, answer)
        milliseconds, status, build = (time.time() - at) * 1000, answer.status_code, answer.headers.get("x-build", "")
        self._builds.append(build)
        timed_out = status == 503 and "retry-after" in answer.headers and milliseconds > STORE_TIMEOUT * 1000
        failed = status not in call.expected and not timed_out
        request = Request(at, call.method, status, milliseconds, build, failed, timed_out)
        with self._ended:
            self.requests.append(request)
            self._ended.notify()
