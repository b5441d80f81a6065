"""The control API of the daemon: JSON over HTTP, for the stand-in providers and the command line.

    GET /health
    PUT, GET, DELETE /aws/apis/{apiId}                   {"url"}
    PUT, GET, DELETE /gcp/resources/{type}/{id}          {"inputs", "files"} -> {"inputs", "outputs"}

Errors are {"error": one line}.
"""

import json
from urllib.parse import unquote

from aiohttp import web

from local.cloud.aws import NotFound
from local.cloud.gcp import Gcp, GcpError
from local.cloud.http_api import HttpApis
from local.cloud.listener import Handler


def control(apis: HttpApis, gcp: Gcp) -> Handler:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await _dispatch(request, apis, gcp)
        except NotFound as error:
            return _error(404, error)
        except GcpError as error:
            return _error(error.status, error)
        except (OSError, ValueError) as error:
            return _error(400, error)

    return handle


async def _dispatch(request: web.BaseRequest, apis: HttpApis, gcp: Gcp) -> web.Response:
    parts = [unquote(part) for part in request.raw_path.partition("?")[0].strip("/").split("/")]
    match request.method, parts:
        case "GET", ["health"]:
            return web.json_response({"status": "ok"})
        case "PUT", ["aws", "apis", api_id]:
            return web.json_response({"url": await apis.open(api_id)})
        case "GET", ["aws", "apis", api_id]:
            return web.json_response({"url": apis.url(api_id)})
        case "DELETE", ["aws", "apis", api_id]:
            await apis.shut(api_id)
            return web.Response(status=204)
        case "PUT", ["gcp", "resources", type, id]:
            body = json.loads(await _read(request))
            return web.json_response(await gcp.put(type, id, body["inputs"], body.get("files") or {}))
        case "GET", ["gcp", "resources", type, id]:
            return web.json_response(gcp.get(type, id))
        case "DELETE", ["gcp", "resources", type, id]:
            await gcp.delete(type, id)
            return web.Response(status=204)
        case _:
            return web.json_response({"error": f"{request.method} {request.path} is not known"}, status=404)


async def _read(request: web.BaseRequest) -> bytes:
    return b"".join([chunk async for chunk in request.content.iter_any()])


def _error(status: int, error: Exception) -> web.Response:
    return web.json_response({"error": " ".join(str(error).split())}, status=status)
