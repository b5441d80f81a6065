"""Measures a function in AWS's own runtime client, `awslambdaric`, with the Runtime API of the laptop's Lambda."""

import asyncio
import json
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from benchmarks.compare import events
from benchmarks.compare.catalog import Peer
from benchmarks.compare.http_client import ANSWERS_WITHIN, check
from benchmarks.compare.intervals import p50_p99
from benchmarks.compare.packages import ROOT, clean_python
from benchmarks.compare.processes import CompareError, peak_memory, running
from local.cloud.aws.lambda_.runtime_api import FunctionError, Invocation, RuntimeApi

RUNTIME = ROOT / "build" / "lambda-runtime"


async def measure(peer: Peer, folder: Path, upstreams: Mapping[str, str], core: int, requests: int) -> dict[str, float]:
    """`cold`: ms from the start of the process to its first answer; with requests, also the warm `p50` and `p99` in ms
    and the peak `memory` in MB. Raises CompareError.
    """
    api = RuntimeApi()
    address = await api.open()
    started = time.perf_counter()
    with _function(peer, folder, upstreams, core, address, "on-demand") as process:
        await _ask(api, peer)
        found = {"cold": _since(started)}
        if requests:
            times = [await _timed(api, peer) for _ in range(requests)]
            found |= p50_p99(times) | {"memory": peak_memory(process.pid)}
    await api.close()
    return found


async def measure_restore(peer: Peer, folder: Path, upstreams: Mapping[str, str], core: int) -> dict[str, float]:
    """`restored`: ms of the first request after the hooks of SnapStart, in the process that they ran in.

    The runtime client runs the hooks before the snapshot, asks for /restore/next, which is answered at once, runs those
    after it, and then asks for work.
    """
    api = RuntimeApi()
    address = await api.open()
    with _function(peer, folder, upstreams, core, address, "snap-start"):
        try:
            await asyncio.wait_for(api.initialised, ANSWERS_WITHIN)
        except (TimeoutError, FunctionError) as error:
            raise CompareError(f"it does not start: {error}") from None
        found = {"restored": await _timed(api, peer)}
    await api.close()
    return found


async def _timed(api: RuntimeApi, peer: Peer) -> float:
    started = time.perf_counter()
    await _ask(api, peer)
    return _since(started)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


async def _ask(api: RuntimeApi, peer: Peer) -> None:
    event = events.REST_API if peer.rest_api else events.HTTP_API
    invocation = Invocation(
        "compare",
        "arn:aws:lambda:us-east-1:123456789012:function:compare",
        json.dumps(event).encode(),
        ANSWERS_WITHIN,
        "",
    )
    try:
        answer = json.loads(await asyncio.wait_for(api.submit(invocation), ANSWERS_WITHIN))
    except (TimeoutError, FunctionError) as error:
        raise CompareError(f"it does not answer: {error}") from None
    check(answer["body"])


@contextmanager
def _function(
    peer: Peer, folder: Path, upstreams: Mapping[str, str], core: int, api: str, initialization: str
) -> Generator[Popen[bytes]]:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    python = clean_python()
    [handler] = peer.start
    environment = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(RUNTIME),
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's folder of the code is read-only
        "LAMBDA_RUNTIME_DIR": str(RUNTIME),
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_LAMBDA_RUNTIME_API": api,
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
    with running([python, "-m", "awslambdaric", handler], folder, environment, core) as process:
        yield process
