"""The control API of the daemon: JSON over HTTP, for the stand-in providers and the command line.

    GET /health
    PUT, GET, DELETE /aws/apis/{apiId}                   {"url"}
    PUT /aws/functions/{arn}                             answers when a function's newest code is unpacked
    PUT /aws/functions/{arn}/environment                 answers when one of a published version has started
    POST /aws/functions/{arn}/invocations                event -> the function's answer
    PUT, GET, DELETE /aws/resources/{type}/{id}          {"inputs", "outputs"}
    PUT, GET, DELETE /gcp/resources/{type}/{id}          {"inputs", "files"} -> {"inputs", "outputs"}
    PUT, DELETE /faults/{aws|firestore|momento}          {"fault": "down"|"slow"|"held"|"throttled"|"halved"}
    GET /faults/{aws|firestore|momento}/held             answers when something is held

Errors are {"error": one line}.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from local.cloud.aws import NotFound
from local.cloud.gcp import Gcp, GcpError
from local.cloud.http_api import HttpApis
from local.cloud.lambda_runtime_api import FunctionError
from local.cloud.lambda_service import LambdaService, PayloadTooLarge, Throttled
from local.cloud.listener import Handler
from local.cloud.relay import Fault, Relay

type Kept = dict[tuple[str, str], Any]


def control(apis: HttpApis, functions: LambdaService, gcp: Gcp, relays: Mapping[str, Relay]) -> Handler:
    kept: Kept = {}

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await _dispatch(request, apis, functions, kept, gcp, relays)
        except NotFound as error:
            return _error(404, error)
        except GcpError as error:
            return _error(error.status, error)
        except (OSError, ValueError, FunctionError, PayloadTooLarge, Throttled) as error:
            return _error(400, error)

    return handle


async def _dispatch(
    request: web.BaseRequest,
    apis: HttpApis,
    functions: LambdaService,
    kept: Kept,
    gcp: Gcp,
    relays: Mapping[str, Relay],
) -> web.Response:
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
        case "PUT", ["aws", "functions", arn]:
            await functions.prepare(arn)
            return web.Response(status=204)
        case "PUT", ["aws", "functions", arn, "environment"]:
            await functions.start(arn)
            return web.Response(status=204)
        case "POST", ["aws", "functions", arn, "invocations"]:
            return web.json_response(body=await functions.call(arn, await _read(request)))
        case method, ["aws", "resources", type, id]:
            return await _keep(method, kept, (type, id), request)
        case "PUT", ["gcp", "resources", type, id]:
            body = json.loads(await _read(request))
            return web.json_response(await gcp.put(type, id, body["inputs"], body.get("files") or {}))
        case "GET", ["gcp", "resources", type, id]:
            return web.json_response(gcp.get(type, id))
        case "DELETE", ["gcp", "resources", type, id]:
            await gcp.delete(type, id)
            return web.Response(status=204)
        case "PUT", ["faults", service] if service in relays:
            relays[service].break_down(Fault(json.loads(await _read(request))["fault"]))
            return web.Response(status=204)
        case "DELETE", ["faults", service] if service in relays:
            relays[service].repair()
            return web.Response(status=204)
        case "GET", ["faults", service, "held"] if service in relays:
            await relays[service].holding()
            return web.json_response({})
        case _:
            return web.json_response({"error": f"{request.method} {request.path} is not known"}, status=404)


async def _keep(method: str, kept: Kept, key: tuple[str, str], request: web.BaseRequest) -> web.Response:
    """What the laptop's AWS does nothing with, but must remember."""
    if method == "PUT":
        kept[key] = json.loads(await _read(request))
    elif key not in kept:
        raise NotFound(f"{' '.join(key)} does not exist")
    return web.json_response(kept.pop(key) if method == "DELETE" else kept[key])


async def _read(request: web.BaseRequest) -> bytes:
    return b"".join([chunk async for chunk in request.content.iter_any()])


def _error(status: int, error: Exception) -> web.Response:
    return web.json_response({"error": " ".join(str(error).split())}, status=status)
