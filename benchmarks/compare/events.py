"""GET /users/1 as API Gateway sends it to a function."""

from typing import Any

_HEADERS = {
    "accept": "*/*",
    "host": "api-id.execute-api.us-east-1.amazonaws.com",
    "user-agent": "compare",
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}
_CONTEXT = {
    "accountId": "123456789012",
    "apiId": "api-id",
    "domainName": "api-id.execute-api.us-east-1.amazonaws.com",
    "domainPrefix": "api-id",
    "requestId": "JKJaXmPLvHcESHA=",
}

HTTP_API: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/users/1",
    "rawQueryString": "",
    "headers": _HEADERS,
    "requestContext": _CONTEXT
    | {
        "http": {
            "method": "GET",
            "path": "/users/1",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "compare",
        },
        "routeKey": "$default",
        "stage": "$default",
        "time": "27/Nov/2026:08:00:00 +0000",
        "timeEpoch": 1795766400000,
    },
    "isBase64Encoded": False,
}
"""An HTTP API's event, payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

REST_API: dict[str, Any] = {
    "resource": "/users/{user_id}",
    "path": "/users/1",
    "httpMethod": "GET",
    "headers": _HEADERS,
    "multiValueHeaders": {name: [value] for name, value in _HEADERS.items()},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": {"user_id": "1"},
    "stageVariables": None,
    "requestContext": _CONTEXT
    | {
        "httpMethod": "GET",
        "identity": {"sourceIp": "192.0.2.1", "userAgent": "compare"},
        "path": "/api/users/1",
        "protocol": "HTTP/1.1",
        "resourceId": "abc123",
        "resourcePath": "/users/{user_id}",
        "stage": "api",
    },
    "body": None,
    "isBase64Encoded": False,
}
"""The event of a REST API, which is what Chalice deploys and its router reads.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""
