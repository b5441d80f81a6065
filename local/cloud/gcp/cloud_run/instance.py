"""An instance of a Cloud Run revision: it runs the service's command on the unpacked source."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import aiohttp
from yarl import URL

from local.cloud.common.listener import HOST, free_port
from local.cloud.common.processes import Child, Processes
from local.cloud.gcp.cloud_run.spec import Probe, Spec

STOP_GRACE = 1.0  # seconds between SIGTERM and SIGKILL; Cloud Run gives 10


class StartError(Exception):
    """The instance exited during its start, or its startup probe failed. The message is one line."""


class Instance:
    """`in_flight` is the number of requests it is serving."""

    def __init__(self, child: Child, port: int) -> None:
        self.in_flight = 0
        self._child = child
        self._port = port
        self._resources = AsyncExitStack()

    @classmethod
    async def start(
        cls,
        processes: Processes,
        http: aiohttp.ClientSession,
        spec: Spec,
        env: Mapping[str, str],
        code: AbstractAsyncContextManager[Path],
        log: Path,
    ) -> "Instance":
        """Returns when the startup probe has passed. Raises StartError."""
        port = free_port()
        given = {"PORT": str(port), "HOST": HOST}
        async with AsyncExitStack() as resources:
            try:
                folder = await resources.enter_async_context(code)
            except OSError as error:
                raise StartError(f"the code cannot be unpacked: {error}") from error
            try:
                child = await processes.start(_found(spec.command, env), folder, {**env, **given}, log)
            except OSError as error:
                raise StartError(f"command {spec.command[0]} cannot be run: {error.strerror}") from error
            resources.push_async_callback(child.stop, STOP_GRACE)
            instance = cls(child, port)
            await instance._pass(spec.probe, http, log)
            instance._resources = resources.pop_all()
            return instance

    @property
    def alive(self) -> bool:
        return self._child.alive

    @property
    def exited(self) -> asyncio.Task[int]:
        return self._child.exited

    def url(self, raw_path: str) -> URL:
        return URL(f"http://{HOST}:{self._port}{raw_path}", encoded=True)

    async def stop(self) -> None:
        await self._resources.aclose()

    async def _pass(self, probe: Probe, http: aiohttp.ClientSession, log: Path) -> None:
        """Probes more often than Cloud Run, so that a start is quick, and as long: failure threshold times period."""
        await asyncio.sleep(probe.initial_delay)
        deadline = time.monotonic() + probe.period * probe.failure_threshold
        answer = "nothing"
        while time.monotonic() < deadline:
            if not self.alive:
                code = await self.exited
                raise StartError(f"the container exited with {code} before it listened on $PORT: see {log}")
            try:
                async with asyncio.timeout(probe.timeout):
                    answer = await self._ask(probe.path, http)
            except (OSError, TimeoutError, aiohttp.ClientError) as error:
                answer = type(error).__name__
            if not answer:
                return
            await asyncio.sleep(0.02)
        raise StartError(f"the startup probe {probe.path or 'on $PORT'} failed ({answer}): see {log}")

    async def _ask(self, path: str | None, http: aiohttp.ClientSession) -> str:
        """Probes once; empty if it passed, else the reason."""
        if path is None:
            _, writer = await asyncio.open_connection(HOST, self._port)
            writer.close()
            return ""
        async with http.get(self.url(path)) as response:
            return "" if 200 <= response.status < 400 else f"status {response.status}"


def _found(command: tuple[str, ...], env: Mapping[str, str]) -> list[str]:
    """The command, with its program looked up on the instance's PATH instead of the daemon's."""
    program = next((p for p in (Path(d) / command[0] for d in env["PATH"].split(":")) if p.exists()), Path(command[0]))
    return [str(program), *command[1:]]
