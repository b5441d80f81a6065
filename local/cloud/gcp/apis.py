"""The calls of Google Cloud's own APIs that the operations make.

    GET /storage/v1/b/{bucket}/o/{object}?alt=media    https://cloud.google.com/storage/docs/json_api/v1/objects/get
    POST /v2/entries:list    https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list

One listener serves both, without credentials, as moto serves AWS. Errors are Google's:
https://cloud.google.com/apis/design/errors#http_mapping
"""

import json
from urllib.parse import unquote

from aiohttp import web

from local.cloud.common.errors import NotFound
from local.cloud.common.listener import Handler, body
from local.cloud.gcp.request_log import UnknownQuery
from local.cloud.gcp.resources import Gcp


def google_apis(gcp: Gcp) -> Handler:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        match request.method, [unquote(part) for part in path.strip("/").split("/")]:
            case "GET", ["storage", "v1", "b", bucket, "o", name] if query == "alt=media":
                try:
                    return web.Response(body=gcp.read(bucket, name))
                except NotFound as error:
                    return _error(404, "NOT_FOUND", str(error))
            case "POST", ["v2", "entries:list"]:
                try:
                    return web.json_response(await gcp.requests.search(json.loads(await body(request))))
                except UnknownQuery as error:
                    return _error(400, "INVALID_ARGUMENT", str(error))
            case _:
                return _error(404, "NOT_FOUND", f"the laptop knows no {request.method} {request.raw_path}")

    return handle


def _error(code: int, status: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message, "status": status}}, status=code)
