"""Forwards requests from a service's listener to an instance, within Cloud Run's limits.

https://cloud.google.com/run/quotas, https://cloud.google.com/run/docs/troubleshooting
"""

import asyncio
import secrets
import time
from collections.abc import Callable

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from local.cloud.common.forwarding import end_to_end
from local.cloud.common.listener import has_valid_host, target
from local.cloud.gcp.cloud_run.instance import Instance
from local.cloud.gcp.cloud_run.revision import NoInstance, Revision
from local.cloud.gcp.request_log import ServiceLog

MAX_BODY = 32 * 1024 * 1024  # bytes, of an HTTP/1 request
BROKEN = "The request failed because either the HTTP response was malformed or connection to the instance had an error."


async def forward(
    request: web.BaseRequest, revision: Revision, http: aiohttp.ClientSession, log: ServiceLog
) -> web.StreamResponse:
    """The response, which is logged when it begins: who has it finds it in the log."""
    begun, started, headers = time.time(), time.monotonic(), _headers(request)

    def logged(status: int) -> None:
        entry = {
            "requestMethod": request.method,
            "requestUrl": f"{request.scheme}://{request.host}{target(request)}",
            "status": status,
            "userAgent": request.headers.get("User-Agent", ""),
            "remoteIp": request.remote,
            "protocol": f"HTTP/{request.version.major}.{request.version.minor}",
        }
        trace = headers["X-Cloud-Trace-Context"].partition("/")[0]
        log.add(revision.name, begun, time.monotonic() - started, entry, trace)

    response = await _respond(request, headers, revision, http, logged)
    if not response.prepared:
        logged(response.status)
    return response


async def _respond(
    request: web.BaseRequest,
    headers: CIMultiDict[str],
    revision: Revision,
    http: aiohttp.ClientSession,
    logged: Callable[[int], None],
) -> web.StreamResponse:
    if not has_valid_host(request):
        return _give_up(request, None, 400, "Bad Request")
    if request.method == "CONNECT":
        return _give_up(request, None, 404, "Not Found")
    if (request.content_length or 0) > MAX_BODY:
        return _give_up(request, None, 413, "Request Entity Too Large")
    response: web.StreamResponse | None = None
    try:
        async with (
            asyncio.timeout(revision.spec.timeout),
            revision.instance() as instance,
            _ask(request, headers, instance, http) as answer,
        ):
            response = web.StreamResponse(status=answer.status, headers=end_to_end(answer.headers))
            response.headers["Server"] = "Google Frontend"
            logged(response.status)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
        await response.write_eof()
        return response
    except NoInstance:
        return _give_up(request, response, 429, "Rate exceeded.")
    except TimeoutError:
        return _give_up(request, response, 504, "upstream request timeout")
    except (aiohttp.ClientError, ConnectionError):
        return _give_up(request, response, 503, BROKEN)


def _ask(request: web.BaseRequest, headers: CIMultiDict[str], instance: Instance, http: aiohttp.ClientSession):
    return http.request(
        request.method,
        instance.url(target(request)),
        headers=headers,
        data=request.content.iter_any() if request.body_exists else None,
        allow_redirects=False,
    )


def _headers(request: web.BaseRequest) -> CIMultiDict[str]:
    headers = end_to_end(request.headers)
    forwarded = request.headers.get("X-Forwarded-For")
    headers["X-Forwarded-For"] = f"{forwarded},{request.remote}" if forwarded else request.remote or ""
    headers["X-Forwarded-Proto"] = request.scheme
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    headers.setdefault("X-Cloud-Trace-Context", f"{trace}/{int(span, 16)}")
    headers.setdefault("Traceparent", f"00-{trace}-{span}-00")
    return headers


def _give_up(
    request: web.BaseRequest, response: web.StreamResponse | None, status: int, text: str
) -> web.StreamResponse:
    """An error response; if `response` has begun, aborts the connection instead."""
    if response is None:
        return web.Response(status=status, text=text, headers={"Server": "Google Frontend"})
    if request.transport:
        request.transport.abort()
    return response
