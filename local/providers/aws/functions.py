"""The functions (invokes) of the AWS provider."""

import json
from collections.abc import Callable

from local.providers.aws.cloud import ACCOUNT, Cloud, outputs_of
from local.providers.aws.lambda_function import CONFIGURATION
from local.providers.resource import ProviderError
from local.providers.values import Props


def caller_identity(cloud: Cloud, args: Props) -> Props:
    return {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "id": ACCOUNT, "userId": ACCOUNT}


def service_quota(cloud: Cloud, args: Props) -> Props:
    """The same value for every quota: Lambda's concurrency in an established account."""
    code = {"id": args["quotaCode"], "quotaCode": args["quotaCode"], "serviceCode": args["serviceCode"]}
    return code | {"region": cloud.region, "value": 1000, "defaultValue": 1000}


def function_version(cloud: Cloud, args: Props) -> Props:
    """Raises ProviderError if the function has no such version."""
    name, version = args["functionName"], args["qualifier"]
    functions = cloud.client("lambda")
    try:
        found = functions.get_function(FunctionName=name, Qualifier=version)["Configuration"]
    except functions.exceptions.ResourceNotFoundException:
        raise ProviderError(f"reading Lambda Function ({name}): couldn't find resource") from None
    arn = cloud.arn("lambda", f"function:{name}")
    computed = {"id": name, "arn": arn, "qualifiedArn": f"{arn}:{version}", "version": found["Version"]}
    return args | computed | outputs_of(CONFIGURATION, found)


def invocation(cloud: Cloud, args: Props) -> Props:
    """Raises ProviderError with the function's error, as JSON."""
    name = args["functionName"]
    arn = cloud.arn("lambda", f"function:{name}:{args['qualifier']}")
    try:
        answer = cloud.control("POST", "aws", "functions", arn, "invocations", body=json.loads(args["input"]))
    except ProviderError as error:
        payload = json.dumps({"errorMessage": str(error)})
        raise ProviderError(f"Lambda Function ({name}) returned error: ({payload})") from None
    return args | {"id": arn, "result": json.dumps(answer)}


FUNCTIONS: dict[str, Callable[[Cloud, Props], Props]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:lambda/getFunction:getFunction": function_version,
    "aws:lambda/getInvocation:getInvocation": invocation,
    "aws:servicequotas/getServiceQuota:getServiceQuota": service_quota,
}
