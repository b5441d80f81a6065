"""Whether a published version of the function runs: it is asked before any request of a user goes to it."""

import asyncio
import json
import re
import time
from typing import Any

import pulumi

READY_WITHIN = 600  # seconds; Lambda takes minutes to make a snapshot
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
    """Returns when the version has answered that it runs the artifact `digest`. Raises pulumi.RunError if it does not.

    The provider waits for versions that it publishes in an update, not for the first one:
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
            found = await pulumi.runtime.invoke_async("aws:lambda/getInvocation:getInvocation", arguments)
            return json.loads(found["result"])
        except Exception as error:
            if not NOT_READY.search(str(error)) or time.monotonic() > deadline:
                raise pulumi.RunError(f"version {version} of {function} does not run: {_words(str(error))}") from None
        await asyncio.sleep(PAUSE)


def _words(error: str) -> str:
    """The function's own words, if they are in the error of the invocation."""
    message = ERROR_MESSAGE.search(error)
    return json.loads(message[1]) if message else " ".join(error.split())
