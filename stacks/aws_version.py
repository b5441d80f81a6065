"""Checks that a published version of the function runs, before it receives requests."""

import asyncio
import json
import re
import time
from typing import Any

import pulumi

from stacks.aws_call import call

READY_WITHIN = 600  # seconds; Lambda takes minutes to create a snapshot
PAUSE = 2.0  # seconds
NOT_READY = re.compile("(ResourceConflict|ResourceNotReady|SnapStartNotReady|TooManyRequests)Exception")
ERROR_MESSAGE = re.compile(r'"errorMessage": *("(?:[^"\\]|\\.)*")')
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
HEALTH = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/health/live",
    "rawQueryString": "",
    "headers": {"user-agent": "pulumi"},
    "requestContext": {
        "http": {"method": "GET", "path": "/health/live", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
        "stage": "$default",
    },
    "isBase64Encoded": False,
}


async def check_runs(function: str, version: str, digest: str) -> None:
    """Returns once the version reports that it runs the artifact `digest`. Raises pulumi.RunError if it does not.

    The provider waits for a version that it publishes in an update, but not for the first one:
    https://github.com/hashicorp/terraform-provider-aws/issues/42693
    """
    answer = await _invoke(function, version)
    try:
        runs = json.loads(answer["body"])["artifact"]
    except (KeyError, TypeError, ValueError):
        runs = json.dumps(answer)[:200]
    if runs != digest:
        raise pulumi.RunError(f"version {version} of {function} answers {runs!r}, not {digest!r}: `pulumi up` again")


async def _invoke(function: str, version: str) -> Any:
    arguments = {"functionName": function, "qualifier": version, "input": json.dumps(HEALTH)}
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            found = await call("aws:lambda/getInvocation:getInvocation", arguments)
            return json.loads(found["result"])
        except Exception as error:
            if not NOT_READY.search(str(error)) or time.monotonic() > deadline:
                raise pulumi.RunError(f"version {version} of {function} does not run: {_message(str(error))}") from None
        await asyncio.sleep(PAUSE)


def _message(error: str) -> str:
    """The function's own error message, if the invocation's error contains it."""
    found = ERROR_MESSAGE.search(error)
    return json.loads(found[1]) if found else " ".join(error.split())
