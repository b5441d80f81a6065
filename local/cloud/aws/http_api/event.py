"""API Gateway's payload format 2.0: converts requests to events, and a function's answers to responses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
Where that page is silent or wrong, this follows the observed behaviour of the service: it decodes the path and cuts it
at a decoded question mark, and it uses an answer without a statusCode unchanged as the body, JSON or not.
"""

import base64
import binascii
import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

from aiohttp import web
from multidict import CIMultiDict

from local.cloud.common.listener import target

TEXT_TYPES = ("application/json", "application/javascript", "application/xml")
NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
HOP_BY_HOP = {"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


class MalformedAnswer(ValueError):
    """API Gateway cannot turn the function's answer into a response."""


@dataclass(frozen=True)
class Match:
    """The API that received a request, through route `$default` of stage `$default`. `path` is decoded."""

    api_id: str
    account: str
    domain: str
    path: str


def request_id() -> str:
    return secrets.token_urlsafe(11)[:15] + "="


def trace_id(request: web.BaseRequest) -> str:
    """The request's X-Amzn-Trace-Id, or a new one."""
    return request.headers.get("X-Amzn-Trace-Id") or f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def decoded_path(raw: str) -> str:
    return unquote(raw, errors="replace").partition("?")[0]


def event(request: web.BaseRequest, body: bytes, match: Match, request_id: str, trace_id: str) -> dict[str, Any]:
    query = target(request).partition("?")[2]
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    headers = _headers(request, body, trace_id)
    cookies = [cookie for line in request.headers.getall("Cookie", []) for cookie in line.split("; ")]
    now = time.time()
    text, is_base64 = _encoded(body, headers.get("content-type", "text/plain"))
    optional: dict[str, Any] = {
        "cookies": cookies,
        "queryStringParameters": parameters,
        "body": text,
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": match.path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": match.account,
            "apiId": match.api_id,
            "domainName": match.domain,
            "domainPrefix": match.domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": match.path,
                "protocol": f"HTTP/{request.version.major}.{request.version.minor}",
                "sourceIp": request.remote or "",
                "userAgent": request.headers.get("User-Agent", ""),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": is_base64,
    } | {name: value for name, value in optional.items() if value}


def _headers(request: web.BaseRequest, body: bytes, trace_id: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        name = name.lower()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    for name in ("cookie", "connection", "keep-alive", "transfer-encoding", "expect"):
        headers.pop(name, None)
    forwarded = headers.get("x-forwarded-for")
    return headers | {
        "content-length": str(len(body)),
        "x-amzn-trace-id": trace_id,
        "x-forwarded-for": f"{forwarded}, {request.remote}" if forwarded else request.remote or "",
        "x-forwarded-port": str(request.get_extra_info("sockname")[1]),
        "x-forwarded-proto": request.scheme,
    }


def _encoded(body: bytes, content_type: str) -> tuple[str, bool]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in TEXT_TYPES or kind.endswith("+json"):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), bool(body)


def response(answer: bytes, method: str) -> web.Response:
    """The HTTP response for a function's answer to a request with `method`. Raises MalformedAnswer."""
    value: Any
    try:
        value = json.loads(answer)
    except ValueError:
        value = None
    if not isinstance(value, dict) or "statusCode" not in value:
        return web.Response(body=answer, content_type="application/json")
    try:
        return _full_response(cast(dict[str, Any], value), method)
    except (TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise MalformedAnswer(str(error)) from error


def _full_response(answer: dict[str, Any], method: str) -> web.Response:
    status = int(answer["statusCode"])
    if not 100 < status < 600:
        raise ValueError(f"statusCode {status}")
    text = answer.get("body") or ""
    body = base64.b64decode(text, validate=True) if answer.get("isBase64Encoded") else text.encode()
    given: dict[str, Any] = answer.get("headers") or {}
    cookies: list[str] = answer.get("cookies") or []
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in [*given.items(), *(("Set-Cookie", cookie) for cookie in cookies)]:
        text_value = str(value).lower() if isinstance(value, bool) else str(value)
        if NOT_IN_A_HEADER.search(name + text_value):
            raise ValueError(f"header {name!r} has a control character")
        of_get = method == "HEAD" and name.lower() == "content-length"  # what a GET would have (RFC 9110, 8.6)
        if of_get or name.lower() not in HOP_BY_HOP:
            headers.add(name, text_value)
    headers.setdefault("Content-Type", "text/plain;charset=UTF-8")
    return web.Response(status=status, headers=headers, body=body)
