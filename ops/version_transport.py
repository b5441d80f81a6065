"""Sends requests to a published version of a Lambda function that has no traffic, as its HTTP API would.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html and
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import json
import time
from typing import Any

import httpx
from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

from ops import aws
from ops.http_api_event import event_of, response_of
from ops.stack import Stack

READY_WITHIN = 600  # seconds; Lambda takes minutes to create a snapshot
PAUSE = 2.0  # seconds
NOT_CARRIED_OUT = (
    "ResourceConflictException",
    "ResourceNotReadyException",
    "SnapStartNotReadyException",
    "TooManyRequestsException",
)


class VersionTransport(httpx.BaseTransport):
    """A transport of httpx. Close it, or the client that has it.

    Each request is invoked once, and again only if Lambda says that it was not, such as while the version is not ready.
    A function that fails is answered with 500, as by API Gateway, and with the function's own error. Raises UsageError
    if AWS does not allow or carry out the invocation.
    """

    def __init__(self, stack: Stack, version: str) -> None:
        with aws.errors(stack):
            self._functions: Any = aws.client(stack, "lambda", attempts=1)
        self._stack, self._version = stack, version

    def close(self) -> None:
        self._functions.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._answer(request)
        # As a stream, since the client measures `elapsed` until that ends.
        body = httpx.ByteStream(b"" if request.method == "HEAD" else answer.content)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=body)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        event = json.dumps(event_of(request, request.read(), self._stack.output("account"))).encode()
        with aws.errors(self._stack):
            try:
                answer = self._invoke(event)
            except self._functions.exceptions.RequestTooLargeException:
                return _message(413, "Request Entity Too Large")
            payload = answer["Payload"].read()
        if "FunctionError" in answer:
            return _message(500, "Internal Server Error", json.loads(payload))
        try:
            return response_of(payload, request.method)
        except ValueError as error:
            return _message(500, "Internal Server Error", {"errorMessage": str(error)})

    def _invoke(self, event: bytes) -> Any:
        name = aws.arn(self._functions, self._stack, f"function:{self._stack.output('service')}")
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                return self._functions.invoke(FunctionName=name, Qualifier=self._version, Payload=event)
            except ClientError as error:
                if aws.code_of(error) not in NOT_CARRIED_OUT or time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE)


def _message(status: int, message: str, error: Any = None) -> httpx.Response:
    return httpx.Response(status, json={"message": message} | ({"error": error} if error else {}))
