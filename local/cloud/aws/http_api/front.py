"""API Gateway's HTTP APIs: a listener for each, which serves route `$default` of stage `$default` from Lambda.

API Gateway's own answers are {"message": ...}, with the statuses that
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html and its quotas list.
"""

import asyncio
import json
import re
import sys

from aiohttp import web

from local.cloud.aws.http_api import event as http_api_event
from local.cloud.aws.http_api.event import MalformedAnswer, Match
from local.cloud.aws.http_api.throttle import Throttle
from local.cloud.aws.lambda_.runtime_api import FunctionError
from local.cloud.aws.lambda_.service import LambdaService, PayloadTooLarge, Throttled
from local.cloud.aws.moto_server import Aws, Function
from local.cloud.common.errors import NotFound
from local.cloud.common.listener import Listener, has_valid_host, listen, target

PREFERRED_PORT = 8081
DEFAULT = "$default"
MAX_BODY = 10 * 1024 * 1024  # bytes
MAX_HEAD = 10240  # bytes of request line and header values together
LAMBDA_ARN = re.compile(r"arn:aws:lambda:[^/]+")


class Refused(Exception):
    """API Gateway refuses the request with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class HttpApis:
    """The open listeners, by API id."""

    def __init__(self, aws: Aws, functions: LambdaService) -> None:
        self._aws = aws
        self._functions = functions
        self._listeners: dict[str, Listener] = {}
        self._throttle = Throttle()

    async def open(self, api_id: str) -> str:
        """Opens the API unless it is open; returns its URL. Raises NotFound if moto has no such API."""
        await self._aws.ask(lambda: self._aws.api(api_id))
        if api_id not in self._listeners:

            async def handle(request: web.BaseRequest) -> web.StreamResponse:
                return await self._handle(api_id, request)

            self._listeners[api_id] = await listen(handle, PREFERRED_PORT, MAX_BODY)
        return self._listeners[api_id].url

    def url(self, api_id: str) -> str:
        """The URL of an open API. Raises NotFound."""
        if api_id not in self._listeners:
            raise NotFound(f"HTTP API {api_id} is not open")
        return self._listeners[api_id].url

    async def shut(self, api_id: str) -> None:
        """Closes the listener of an API. Raises NotFound."""
        self.url(api_id)
        await self._listeners.pop(api_id).close()

    async def close(self) -> None:
        await asyncio.gather(*(listener.close() for listener in self._listeners.values()))
        self._listeners.clear()

    async def _handle(self, api_id: str, request: web.BaseRequest) -> web.StreamResponse:
        request_id = http_api_event.request_id()
        try:
            response = await self._respond(api_id, request, request_id)
        except Refused as refusal:
            response = web.json_response({"message": str(refusal)}, status=refusal.status)
        response.headers["Apigw-Requestid"] = request_id
        return response

    async def _respond(self, api_id: str, request: web.BaseRequest, request_id: str) -> web.Response:
        body = await _body(request)
        try:
            match, function, timeout = await self._aws.ask(lambda: self._route(api_id, request))
        except (NotFound, PermissionError) as error:
            raise _failed(error) from error
        trace_id = http_api_event.trace_id(request)
        event = http_api_event.event(request, body, match, request_id, trace_id)
        work = asyncio.ensure_future(self._functions.invoke(function, json.dumps(event).encode(), trace_id))
        await asyncio.wait({work}, timeout=timeout)
        if not work.done():
            work.add_done_callback(lambda late: late.exception())
            raise Refused(503, "Service Unavailable")
        try:
            return http_api_event.response(work.result(), request.method)
        except Throttled as error:
            raise Refused(503, "Service Unavailable") from error
        except PayloadTooLarge as error:
            raise Refused(413, "Request Entity Too Large") from error
        except (FunctionError, MalformedAnswer, OSError, ValueError) as error:
            raise _failed(error) from error

    def _route(self, api_id: str, request: web.BaseRequest) -> tuple[Match, Function, float]:
        """The match, the function version behind it and the integration's timeout in seconds."""
        backend, api = self._aws.api(api_id)
        stage = api.stages.get(DEFAULT)
        route = next((route for route in api.routes.values() if route.route_key == DEFAULT), None)
        if not stage or not route:
            raise Refused(404, "Not Found")
        if not self._throttle.admits(api_id, stage.default_route_settings):
            raise Refused(429, "Too Many Requests")
        integration = api.integrations[(route.target or "").removeprefix("integrations/")]
        arn = LAMBDA_ARN.search(integration.integration_uri or "")
        if not arn:
            raise NotFound(f"integration {integration.integration_uri} is not a Lambda function")
        match = Match(
            api_id=api_id,
            account=backend.account_id,
            domain=api.api_endpoint.removeprefix("https://"),
            path=http_api_event.decoded_path(target(request).partition("?")[0]),
        )
        source = f"arn:aws:execute-api:{backend.region_name}:{match.account}:{api_id}/{DEFAULT}/{DEFAULT}"
        return match, self._aws.function(arn[0], source), (integration.timeout_in_millis or 30000) / 1000


async def _body(request: web.BaseRequest) -> bytes:
    if not has_valid_host(request):
        raise Refused(400, "Bad Request")
    line = len(f"{request.method} {request.raw_path} HTTP/1.1")
    if line > MAX_HEAD:
        raise Refused(414, "Request-URI Too Long")
    if line + sum(len(value) for _, value in request.raw_headers) > MAX_HEAD:
        raise Refused(431, "Request Header Fields Too Large")
    too_large = Refused(413, "Request Entity Too Large")
    if (request.content_length or 0) > MAX_BODY:
        raise too_large
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            raise too_large
    return bytes(body)


def _failed(error: Exception) -> Refused:
    """The answer to the caller of a broken function or integration; the reason goes to the daemon's log."""
    print(f"HTTP API: {type(error).__name__}: {error}", file=sys.stderr)
    return Refused(500, "Internal Server Error")
