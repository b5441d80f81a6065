"""A Lambda execution environment: AWS's runtime client and the unpacked code, with nothing else on the path."""

import asyncio
import os
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from local.cloud.aws.lambda_.log import Log
from local.cloud.aws.lambda_.runtime_api import FunctionError, Invocation, RuntimeApi
from local.cloud.aws.moto_server import Function
from local.cloud.common.processes import Child, Processes

# Seconds. Lambda allows 130 for an initialisation before a snapshot, which is too long to wait in `make up`.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
INIT_TIMEOUT = 10
SILENT = ("Runtime.ExitError", "Sandbox.Timedout")
"""Errors without a message from the function. The last line that it printed is added to them."""
DEFAULT_RUNTIME = Path("build/lambda-runtime")


class NeverDelivered(Exception):
    """The process ended before it took the invocation, so another environment may run it."""


@dataclass(frozen=True)
class ProcessContext:
    """What all environments share."""

    processes: Processes
    python: Path
    logs: Path
    aws_url: str


class Environment:
    """Runs one invocation at a time. `idle_since` is a reading of time.monotonic()."""

    def __init__(self, function: Function, log: Log, child: Child, api: RuntimeApi, resources: AsyncExitStack) -> None:
        self.function = function
        self.idle_since = time.monotonic()
        self._log = log
        self._child = child
        self._api = api
        self._resources = resources

    @classmethod
    async def start(
        cls,
        context: ProcessContext,
        function: Function,
        code: AbstractAsyncContextManager[Path],
        credentials: dict[str, str],
    ) -> "Environment":
        """Starts the process and waits until it asks for work. Raises FunctionError if it fails to."""
        async with AsyncExitStack() as resources:
            folder = await resources.enter_async_context(code)
            api = RuntimeApi()
            resources.push_async_callback(api.close)
            env = _variables(context, function, folder) | credentials | {"AWS_LAMBDA_RUNTIME_API": await api.open()}
            log = Log.of(context.logs, function)
            old_size = log.size
            command = [context.python, "-m", "awslambdaric", function.handler]
            started = time.monotonic()
            child = await context.processes.start(command, folder, env, log.path)
            resources.push_async_callback(asyncio.wait, {child.exited})
            resources.callback(child.kill)
            try:
                await _initialised(api, child)
            except FunctionError as error:
                last_line = log.last_line(old_size)
                log.write(f"INIT_REPORT Status: error\tError Type: {error.type}\tError: {error}")
                has_more = last_line and error.type in SILENT
                raise FunctionError(error.type, f"{error}: {last_line}" if has_more else str(error)) from None
            log.write(f"INIT_REPORT Init Duration: {(time.monotonic() - started) * 1000:.2f} ms")
            return cls(function, log, child, api, resources.pop_all())

    @property
    def alive(self) -> bool:
        return self._child.alive

    async def invoke(self, invocation: Invocation) -> bytes:
        """The function's answer, JSON. Raises FunctionError; after a timeout or an exit, `alive` is False.

        Raises NeverDelivered, without a line about its end, if another environment may run the invocation.
        """
        begun = time.monotonic()
        self._log.start(invocation.request_id)
        try:
            answer = await self._outcome(invocation)
        except FunctionError as error:
            self._log.write(f"{invocation.request_id} {error.type}: {error}")
            self._log.end(invocation.request_id, begun)
            raise
        finally:
            self.idle_since = time.monotonic()
        self._log.end(invocation.request_id, begun)
        return answer

    async def _outcome(self, invocation: Invocation) -> bytes:
        result = self._api.submit(invocation)
        await asyncio.wait(
            {result, self._child.exited}, timeout=invocation.timeout, return_when=asyncio.FIRST_COMPLETED
        )
        if result.done():
            return result.result()
        if not self._child.exited.done():
            self._child.kill()
            await self._child.exited
            raise FunctionError("Sandbox.Timedout", f"Task timed out after {invocation.timeout:.2f} seconds")
        if not self._api.delivered:
            raise NeverDelivered
        raise _exit_error(self._child.exited.result())

    async def close(self) -> None:
        await self._resources.aclose()


async def _initialised(api: RuntimeApi, child: Child) -> None:
    await asyncio.wait({api.initialised, child.exited}, timeout=INIT_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
    if api.initialised.done():
        api.initialised.result()
    elif child.exited.done():
        raise _exit_error(child.exited.result())
    else:
        raise FunctionError("Sandbox.Timedout", f"Init timed out after {INIT_TIMEOUT:.2f} seconds")


def _exit_error(code: int) -> FunctionError:
    how = f"signal: {-code}" if code < 0 else f"exit status {code}"
    return FunctionError("Runtime.ExitError", f"Runtime exited with error: {how}")


def _variables(context: ProcessContext, function: Function, code: Path) -> dict[str, str]:
    """Lambda's variables and the address of the laptop's AWS.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    runtime = Path(os.environ.get("LAMBDA_RUNTIME_DIR", DEFAULT_RUNTIME)).resolve()
    return {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": f"{context.python.parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(runtime),
        "LAMBDA_RUNTIME_DIR": str(runtime),
        "AWS_ENDPOINT_URL": context.aws_url,
        **dict(function.environment),
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(code),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{function.version}]laptop",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    }
