"""Lambda's Runtime API, one for each execution environment.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from local.cloud.common.listener import Listener, body, listen

MAX_PAYLOAD = 6 * 1024 * 1024  # bytes; https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ROOT = "/2018-06-01/runtime"


class FunctionError(Exception):
    """The function answered with an error or not at all. `type` is Lambda's errorType, e.g. Sandbox.Timedout."""

    def __init__(self, type: str, message: str) -> None:
        super().__init__(message)
        self.type = type


@dataclass(frozen=True)
class Invocation:
    request_id: str
    function_arn: str
    event: bytes
    timeout: float  # seconds from now
    trace_id: str


class RuntimeApi:
    """The server for the runtime client in the environment's process. It carries one invocation at a time."""

    def __init__(self) -> None:
        self.initialised: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.delivered = False
        self._invocations: asyncio.Queue[Invocation] = asyncio.Queue(1)
        self._result: asyncio.Future[bytes] | None = None
        self._request_id = ""
        self._listener: Listener | None = None

    async def open(self) -> str:
        """Listens; returns the value of AWS_LAMBDA_RUNTIME_API."""
        self._listener = await listen(self._handle)
        return self._listener.address

    async def close(self) -> None:
        if self._listener:
            await self._listener.close()
        if self.initialised.done():
            self.initialised.exception()  # else asyncio logs one that nothing has read

    def submit(self, invocation: Invocation) -> asyncio.Future[bytes]:
        """Passes an invocation to the process; the future's result is the response, or it raises FunctionError."""
        self._result = asyncio.get_running_loop().create_future()
        self._request_id = invocation.request_id
        self.delivered = False
        self._invocations.put_nowait(invocation)
        return self._result

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        content = await body(request)
        match request.method, request.path.removeprefix(ROOT).split("/")[1:]:
            case "GET", ["invocation", "next"]:
                return await self._next()
            case "POST", ["invocation", request_id, "response"] if len(content) > MAX_PAYLOAD:
                text = f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."
                self._finish(request_id, FunctionError("Function.ResponseSizeTooLarge", text))
                return _status("RequestEntityTooLarge", 413)
            case "POST", ["invocation", request_id, "response"]:
                return self._finish(request_id, content)
            case "POST", ["invocation", request_id, "error"]:
                return self._finish(request_id, _function_error(content))
            case "GET", ["restore", "next"]:
                return _status("OK", 200)
            case "POST", ["init" | "restore", "error"]:
                if not self.initialised.done():
                    self.initialised.set_exception(_function_error(content))
                return _status("OK", 202)
            case _:
                return _status("NotFound", 404)

    async def _next(self) -> web.Response:
        if not self.initialised.done():
            self.initialised.set_result(None)
        invocation = await self._invocations.get()
        self.delivered = True
        deadline = time.time() + invocation.timeout
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        return web.Response(body=invocation.event, content_type="application/json", headers=headers)

    def _finish(self, request_id: str, outcome: bytes | FunctionError) -> web.Response:
        if request_id != self._request_id or self._result is None or self._result.done():
            return _status("InvalidRequestID", 400)
        if isinstance(outcome, FunctionError):
            self._result.set_exception(outcome)
        else:
            self._result.set_result(outcome)
        return _status("OK", 202)


def _status(status: str, code: int) -> web.Response:
    return web.json_response({"status": status}, status=code)


def _function_error(body: bytes) -> FunctionError:
    try:
        error: dict[str, Any] = json.loads(body)
    except ValueError:
        error = {}
    return FunctionError(error.get("errorType", "Runtime.Unknown"), error.get("errorMessage", ""))
