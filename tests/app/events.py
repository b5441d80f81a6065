"""Events of an API Gateway HTTP API, payload format 2.0
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html)."""

import base64
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx


def event(request: httpx.Request) -> dict[str, Any]:
    """What the handler gets for a request."""
    url, body = urlsplit(str(request.url)), request.read()
    headers = {name.lower(): value for name, value in request.headers.items()}
    answer: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(url.path) or "/",
        "rawQueryString": url.query,
        "headers": headers | {"host": "api-id.execute-api.us-east-1.amazonaws.com", "x-forwarded-proto": "https"},
        "requestContext": {
            "apiId": "api-id",
            "domainName": "api-id.execute-api.us-east-1.amazonaws.com",
            "http": {"method": request.method, "path": url.path, "sourceIp": "192.0.2.1", "protocol": "HTTP/1.1"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if body:
        answer |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return answer


def response(answer: dict[str, Any]) -> httpx.Response:
    """What API Gateway sends for the handler's answer."""
    body = answer.get("body", "")
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return httpx.Response(answer["statusCode"], headers=answer.get("headers"), content=content)


class LambdaTransport(httpx.BaseTransport):
    """Sends requests to the handler as events, without a network."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return response(self._handler(event(request), None))
