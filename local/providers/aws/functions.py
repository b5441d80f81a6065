"""The functions (invokes) of the AWS provider."""

import json
from collections.abc import Callable

from local.providers.aws.cloud import ACCOUNT
from local.providers.control import control
from local.providers.values import Props


def caller_identity(region: str, args: Props) -> Props:
    return {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "id": ACCOUNT, "userId": ACCOUNT}


def service_quota(region: str, args: Props) -> Props:
    """The same value for every quota: Lambda's concurrency in an established account."""
    code = {"id": args["quotaCode"], "quotaCode": args["quotaCode"], "serviceCode": args["serviceCode"]}
    return code | {"region": region, "value": 1000, "defaultValue": 1000}


def invocation(region: str, args: Props) -> Props:
    """Raises ProviderError with the function's error."""
    arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{args['functionName']}:{args['qualifier']}"
    answer = control("POST", "aws", "functions", arn, "invocations", body=json.loads(args["input"]))
    return args | {"id": arn, "result": json.dumps(answer)}


FUNCTIONS: dict[str, Callable[[str, Props], Props]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:lambda/getInvocation:getInvocation": invocation,
    "aws:servicequotas/getServiceQuota:getServiceQuota": service_quota,
}
