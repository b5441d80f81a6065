"""The daemon's control API: JSON over HTTP, for the fake providers and the command line.

    GET /health
    PUT, GET, DELETE /aws/apis/{apiId}                   {"url"}
    PUT /aws/functions/{arn}                             answers when a function's newest code is unpacked
    PUT /aws/functions/{arn}/environment                 answers when a published version has started
    POST /aws/functions/{arn}/invocations                event -> the function's answer
    PUT, GET, DELETE /recorded/{type}/{id}               {"inputs", "outputs"} of a resource without behaviour
    PUT, GET, DELETE /gcp/resources/{type}/{id}          {"inputs", "files"} -> {"inputs", "outputs"}
    PUT, DELETE /faults/{aws|firestore|momento}          {"fault": "down"|"slow"|"held"|"throttled"|"halved"}
    GET /faults/{aws|firestore|momento}/held             answers when something is held
    POST /delays                                         {"aws|firestore|momento": seconds}, while the request lasts

Every request needs `Authorization: Bearer TOKEN` with the token in daemon.json, which keeps other users of this
computer out, and this computer as its Host, which keeps web pages out. Errors are {"error": one line}.
"""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import web

from local.cloud.aws.http_api.front import HttpApis
from local.cloud.aws.lambda_.runtime_api import FunctionError
from local.cloud.aws.lambda_.service import LambdaService, PayloadTooLarge, Throttled
from local.cloud.common.errors import NotFound
from local.cloud.common.listener import HOST, Handler, body
from local.cloud.daemon.delays import Held, hold
from local.cloud.faults.proxy import Fault, FaultProxy
from local.cloud.gcp.resources import Gcp, GcpError

type Recorded = dict[tuple[str, str], Any]


class GcpBody(msgspec.Struct):
    inputs: dict[str, Any]
    files: dict[str, str] = {}


class FaultBody(msgspec.Struct):
    fault: Fault


def control(
    token: str, apis: HttpApis, functions: LambdaService, gcp: Gcp, proxies: Mapping[str, FaultProxy]
) -> Handler:
    recorded: Recorded = {}

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            refusal = _refusal(request, token)
            return await _dispatch(request, apis, functions, recorded, gcp, proxies) if refusal is None else refusal
        except NotFound as error:
            return _error(404, error)
        except Held as error:
            return _error(409, error)
        except GcpError as error:
            return _error(error.status, error)
        except (OSError, ValueError, RecursionError, FunctionError, PayloadTooLarge, Throttled) as error:
            return _error(400, error)

    return handle


def _refusal(request: web.BaseRequest, token: str) -> web.Response | None:
    port = request.get_extra_info("sockname")[1]
    if request.headers.get("Host") not in (f"{HOST}:{port}", f"localhost:{port}"):
        return _error(403, f"the Host is not {HOST}:{port}")
    given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
    if not secrets.compare_digest(given, f"Bearer {token}".encode()):
        refusal = _error(401, "the token is not the one in daemon.json: send it as Authorization: Bearer TOKEN")
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal
    return None


async def _dispatch(
    request: web.BaseRequest,
    apis: HttpApis,
    functions: LambdaService,
    recorded: Recorded,
    gcp: Gcp,
    proxies: Mapping[str, FaultProxy],
) -> web.StreamResponse:
    parts = [unquote(part) for part in request.raw_path.partition("?")[0].strip("/").split("/")]
    match request.method, parts:
        case "GET", ["health"]:
            return _error(503, gcp.lost) if gcp.lost else web.json_response({"status": "ok"})
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
            return web.json_response(body=await functions.call(arn, bytes(await _read(request, msgspec.Raw))))
        case "PUT" | "GET" | "DELETE", ["recorded", type, id]:
            return await _record(request, recorded, (type, id))
        case "PUT", ["gcp", "resources", type, id]:
            wanted = await _read(request, GcpBody)
            return web.json_response(await gcp.put(type, id, wanted.inputs, wanted.files))
        case "GET", ["gcp", "resources", type, id]:
            return web.json_response(gcp.get(type, id))
        case "DELETE", ["gcp", "resources", type, id]:
            await gcp.delete(type, id)
            return web.Response(status=204)
        case "PUT", ["faults", service] if service in proxies:
            proxies[service].break_down((await _read(request, FaultBody)).fault)
            return web.Response(status=204)
        case "DELETE", ["faults", service] if service in proxies:
            proxies[service].repair()
            return web.Response(status=204)
        case "GET", ["faults", service, "held"] if service in proxies:
            await proxies[service].holding()
            return web.json_response({})
        case "POST", ["delays"]:
            return await hold(request, proxies)
        case _:
            return _error(404, f"{request.method} {request.path} is not known")


async def _record(request: web.BaseRequest, recorded: Recorded, key: tuple[str, str]) -> web.Response:
    if request.method == "PUT":
        recorded[key] = await _read(request, dict[str, Any])
    elif key not in recorded:
        raise NotFound(f"{' '.join(key)} does not exist")
    return web.json_response(recorded.pop(key) if request.method == "DELETE" else recorded[key])


async def _read[T](request: web.BaseRequest, schema: type[T]) -> T:
    """The body, decoded. Raises ValueError if it is not JSON of that type."""
    return msgspec.json.decode(await body(request), type=schema)


def _error(status: int, error: Exception | str) -> web.Response:
    return web.json_response({"error": " ".join(str(error).split())}, status=status)
