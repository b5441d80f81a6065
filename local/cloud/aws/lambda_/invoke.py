"""Lambda's Invoke, for a synchronous invocation: moto's own needs Docker.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import asyncio
import json

from moto.iam.models import get_account_id_from
from werkzeug.wrappers import Request, Response

from local.cloud.aws.iam import CREDENTIAL, INVOCATION
from local.cloud.aws.lambda_.runtime_api import MAX_PAYLOAD, FunctionError
from local.cloud.aws.lambda_.service import LambdaService, PayloadTooLarge, Throttled
from local.cloud.aws.operations import Operation
from local.cloud.common.errors import NotFound

JSON = "application/json"


def invoke_of(functions: LambdaService) -> Operation:
    """The operation. It waits in the caller's thread for an invocation in the running event loop."""
    loop = asyncio.get_running_loop()

    async def invoke(arn: str, event: bytes) -> Response:
        function = await functions.find(arn)
        version = {"X-Amz-Executed-Version": function.version}
        try:
            answer = await functions.invoke(function, event, trace_id="")
            return Response(answer, 200, version, content_type=JSON)
        except FunctionError as error:
            answer = json.dumps({"errorMessage": str(error), "errorType": error.type})
            return Response(answer, 200, {**version, "X-Amz-Function-Error": "Unhandled"}, content_type=JSON)

    def answer(request: Request) -> Response | None:
        found = INVOCATION.fullmatch(request.path)
        credential = CREDENTIAL.search(request.headers.get("Authorization", ""))
        if request.method != "POST" or not found or not credential:
            return None
        if (kind := request.headers.get("X-Amz-Invocation-Type", "RequestResponse")) != "RequestResponse":
            return _refusal(400, "InvalidParameterValueException", f"the laptop has no invocation type {kind}")
        account = get_account_id_from(credential["key"])
        name = found["name"].removeprefix(f"arn:aws:lambda:{credential['region']}:{account}:function:")
        qualifier = request.args.get("Qualifier", "$LATEST")
        arn = f"arn:aws:lambda:{credential['region']}:{account}:function:{name}:{qualifier}"
        try:
            return asyncio.run_coroutine_threadsafe(invoke(arn, request.get_data()), loop).result()
        except NotFound:
            return _refusal(404, "ResourceNotFoundException", f"Function not found: {arn}")
        except Throttled:
            return _refusal(429, "TooManyRequestsException", "Rate Exceeded.")
        except PayloadTooLarge:
            text = f"{len(request.get_data())} byte payload is too large: the limit is {MAX_PAYLOAD} bytes"
            return _refusal(413, "RequestTooLargeException", text)

    return answer


def _refusal(status: int, code: str, message: str) -> Response:
    body = json.dumps({"Type": "User", "message": message})
    return Response(body, status, {"X-Amzn-Errortype": code}, content_type=JSON)
