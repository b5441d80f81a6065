"""Measures a function in AWS's own runtime client, `awslambdaric`, with the Runtime API of the laptop's Lambda."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL

from benchmarks.compare import events
from benchmarks.compare.catalog import Peer
from benchmarks.compare.http_client import ANSWERS_WITHIN, check
from benchmarks.compare.intervals import p50_p99
from benchmarks.compare.packages import ROOT, clean_python
from benchmarks.compare.processes import CompareError, peak_memory, running
from local.cloud.aws.lambda_.runtime_api import FunctionError, Invocation, RuntimeApi

RUNTIME = ROOT / "build" / "lambda-runtime"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:compare"


class Function:
    """A running function, `started` at that reading of time.perf_counter()."""

    def __init__(self, api: RuntimeApi, peer: Peer, pid: int, started: float) -> None:
        self.pid = pid
        self.started = started
        self._api = api
        event = json.dumps(events.REST_API if peer.rest_api else events.HTTP_API).encode()
        self._invocation = Invocation("compare", ARN, event, ANSWERS_WITHIN, trace_id="")

    async def await_start(self) -> None:
        """Return when it asks for work. Raises CompareError if it cannot start."""
        await _within(self._api.initialised)

    async def ask(self) -> float:
        """When it answered. Raises CompareError."""
        answering = self._api.submit(self._invocation)
        await self.await_start()
        answer = await _within(answering)
        answered = time.perf_counter()
        check(json.loads(answer)["body"])
        return answered


async def measure(peer: Peer, folder: Path, upstreams: Mapping[str, str], core: int, requests: int) -> dict[str, float]:
    """`cold`: ms from the start of the process to its first answer; with requests, also the warm `p50` and `p99` in ms
    and the peak `memory` in MB. Raises CompareError.
    """
    async with _function(peer, folder, upstreams, core, "on-demand") as function:
        found = {"cold": (await function.ask() - function.started) * 1000}
        if requests:
            times = [await _timed(function) for _ in range(requests)]
            found |= p50_p99(times) | {"memory": peak_memory(function.pid)}
        return found


async def measure_restore(peer: Peer, folder: Path, upstreams: Mapping[str, str], core: int) -> dict[str, float]:
    """`restored`: ms of the first request after the hooks of SnapStart, in the process that they ran in.

    The runtime client runs the hooks before the snapshot, asks for /restore/next, which is answered at once, runs those
    after it, and then asks for work.
    """
    async with _function(peer, folder, upstreams, core, "snap-start") as function:
        await function.await_start()
        return {"restored": await _timed(function)}


async def _timed(function: Function) -> float:
    begun = time.perf_counter()
    return (await function.ask() - begun) * 1000


async def _within[T](future: asyncio.Future[T]) -> T:
    try:
        return await asyncio.wait_for(future, ANSWERS_WITHIN)
    except TimeoutError:
        raise CompareError(f"no answer within {ANSWERS_WITHIN} seconds") from None
    except FunctionError as error:
        raise CompareError(f"{error.type}: {error}") from None


@asynccontextmanager
async def _function(
    peer: Peer, folder: Path, upstreams: Mapping[str, str], core: int, initialization: str
) -> AsyncGenerator[Function]:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    python, api = clean_python(), RuntimeApi()
    [handler] = peer.start
    environment = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(RUNTIME),
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's folder of the code is read-only
        "LAMBDA_RUNTIME_DIR": str(RUNTIME),
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_LAMBDA_RUNTIME_API": await api.open(),
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization,
        "AWS_LAMBDA_FUNCTION_NAME": "compare",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "compare",
        "AWS_SECRET_ACCESS_KEY": "compare",
        "AWS_SESSION_TOKEN": "compare",
        "AWS_ENDPOINT_URL": upstreams["aws"],
        "_HANDLER": handler,
        **{name: value.format(**upstreams) for name, value in peer.environment.items()},
    }
    started = time.perf_counter()
    with running([python, "-m", "awslambdaric", handler], folder, environment, core, DEVNULL) as process:
        try:
            yield Function(api, peer, process.pid, started)
        finally:
            await api.close()
