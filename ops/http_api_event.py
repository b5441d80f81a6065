"""API Gateway's payload format 2.0: the event for a request, and the response for a function's answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html; the laptop's
HTTP API does the same in another environment, and a test compares both.
"""

import base64
import json
import re
import secrets
import time
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

import httpx

TEXT_TYPES = ("application/json", "application/javascript", "application/xml")
NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
HOP_BY_HOP = {"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
NOT_FORWARDED = ("cookie", "connection", "keep-alive", "transfer-encoding", "expect")
CALLER = "127.0.0.1"


def event_of(request: httpx.Request, body: bytes, account: str) -> dict[str, Any]:
    raw_path, _, query = request.url.raw_path.decode("ascii").partition("?")
    path = unquote(raw_path, errors="replace").partition("?")[0]
    headers, cookies = _headers(request)
    text, is_base64 = _encoded(body, headers.get("content-type", "text/plain"))
    domain, now = request.url.host, time.time()
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers
        | {
            "content-length": str(len(body)),
            "x-amzn-trace-id": headers.get("x-amzn-trace-id") or f"Root=1-{int(now):08x}-{secrets.token_hex(12)}",
            "x-forwarded-for": ", ".join([*filter(None, [headers.get("x-forwarded-for")]), CALLER]),
            "x-forwarded-port": str(request.url.port or 443),
            "x-forwarded-proto": request.url.scheme,
        },
        "requestContext": {
            "accountId": account,
            "apiId": domain.partition(".")[0],
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": CALLER,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": secrets.token_urlsafe(11)[:15] + "=",
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": is_base64,
    } | {
        name: value
        for name, value in {"cookies": cookies, "queryStringParameters": _parameters(query), "body": text}.items()
        if value
    }


def _headers(request: httpx.Request) -> tuple[dict[str, str], list[str]]:
    """The headers, of which those of one name are joined, and the cookies."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for raw_name, raw_value in request.headers.raw:
        name, value = raw_name.decode("ascii").lower(), raw_value.decode(errors="surrogateescape")
        if name == "cookie":
            cookies += value.split("; ")
        elif name not in NOT_FORWARDED:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers, cookies


def _parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _encoded(body: bytes, content_type: str) -> tuple[str, bool]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in TEXT_TYPES or kind.endswith("+json"):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), bool(body)


def response_of(answer: bytes, method: str) -> httpx.Response:
    """The response to a request with `method`. Raises ValueError for what API Gateway cannot turn into one."""
    try:
        value: Any = json.loads(answer)
    except ValueError:
        value = None
    if not isinstance(value, dict) or "statusCode" not in value:
        return httpx.Response(200, headers={"content-type": "application/json"}, content=answer)
    try:
        return _full_response(cast(dict[str, Any], value), method)
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error


def _full_response(answer: dict[str, Any], method: str) -> httpx.Response:
    status = int(answer["statusCode"])
    if not 100 < status < 600:
        raise ValueError(f"statusCode {status}")
    text = answer.get("body") or ""
    body = base64.b64decode(text, validate=True) if answer.get("isBase64Encoded") else text.encode()
    given: dict[str, Any] = answer.get("headers") or {}
    cookies: list[str] = answer.get("cookies") or []
    headers: list[tuple[str, str]] = []
    for name, value in [*given.items(), *(("set-cookie", cookie) for cookie in cookies)]:
        text_value = str(value).lower() if isinstance(value, bool) else str(value)
        if NOT_IN_A_HEADER.search(name + text_value):
            raise ValueError(f"header {name!r} has a control character")
        of_get = method == "HEAD" and name.lower() == "content-length"  # what a GET would have (RFC 9110, 8.6)
        if of_get or name.lower() not in HOP_BY_HOP:
            headers.append((name, text_value))
    if "content-type" not in {name.lower() for name, _ in headers}:
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    return httpx.Response(status, headers=headers, content=body)
