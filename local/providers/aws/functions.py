"""The functions (invokes) of the AWS provider."""

import json
from collections.abc import Callable
from typing import Any

from local.providers.aws.cloud import ACCOUNT
from local.providers.home import control
from local.providers.values import Props


def caller_identity(region: str, args: Props) -> Props:
    return {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "id": ACCOUNT, "userId": ACCOUNT}


def region(region: str, args: Props) -> Props:
    name = args.get("region", region)
    return {"id": name, "name": name, "region": name, "description": name, "endpoint": f"ec2.{name}.amazonaws.com"}


def partition(region: str, args: Props) -> Props:
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def service_quota(region: str, args: Props) -> Props:
    """What an account has that is not young, whatever is asked for."""
    code = {"id": args["quotaCode"], "quotaCode": args["quotaCode"], "serviceCode": args["serviceCode"]}
    return code | {"region": region, "value": 1000, "defaultValue": 1000}


def policy_document(region: str, args: Props) -> Props:
    """Renders as https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document."""
    statements = [_statement(statement) for statement in args.get("statements", [])]
    head = {"Version": args.get("version", "2012-10-17")} | ({"Id": args["policyId"]} if "policyId" in args else {})
    document = head | {"Statement": statements}
    return args | {
        "id": "policy",
        "json": json.dumps(document, indent=2),
        "minifiedJson": json.dumps(document, separators=(",", ":")),
    }


def _statement(given: Props) -> Props:
    statement: Props = {"Sid": given["sid"]} if given.get("sid") else {}
    statement["Effect"] = given.get("effect", "Allow")
    lists = {"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"}
    for name, key in lists.items():
        if given.get(name):
            statement[key] = _one_or_sorted(given[name])
    for name, key in {"principals": "Principal", "notPrincipals": "NotPrincipal"}.items():
        if given.get(name):
            statement[key] = _principals(given[name])
    for condition in given.get("conditions", []):
        tests = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
        tests[condition["variable"]] = _one_or_sorted(condition["values"])
    return statement


def _principals(given: list[Props]) -> Any:
    if any(principal["type"] == "*" for principal in given):
        return "*"
    return {principal["type"]: _one_or_sorted(principal["identifiers"]) for principal in given}


def _one_or_sorted(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else sorted(values)


def invocation(region: str, args: Props) -> Props:
    """Raises StandInError with the function's error."""
    arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{args['functionName']}:{args['qualifier']}"
    answer = control("POST", "aws", "functions", arn, "invocations", body=json.loads(args["input"]))
    return args | {"id": arn, "result": json.dumps(answer)}


FUNCTIONS: dict[str, Callable[[str, Props], Props]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getRegion:getRegion": region,
    "aws:index/getPartition:getPartition": partition,
    "aws:lambda/getInvocation:getInvocation": invocation,
    "aws:servicequotas/getServiceQuota:getServiceQuota": service_quota,
    "aws:iam/getPolicyDocument:getPolicyDocument": policy_document,
}
