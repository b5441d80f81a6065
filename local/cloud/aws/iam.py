"""IAM in front of moto, which allows every call: the session of a role may do what the role's policies allow.

An operation needs the action of the same name on each table or parameter in the request, batches included:
BatchWriteItem needs no PutItem, and a condition no GetItem ("API operations defined by Amazon DynamoDB",
https://docs.aws.amazon.com/service-authorization/latest/reference/list_dynamodb.html, and
https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-retrieval-authorization.html). A transaction needs the
actions of its parts (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html). Where
AWS has other rules, as for PartiQL and other services, only a policy for `*` allows the call. Access keys without a
session belong to the fake providers, and may do anything. Permission boundaries and session policies are ignored. In
statements with keys other than SUPPORTED_KEYS, an Allow allows nothing and a Deny denies everything.

moto's own IAMPolicy is not used: it allows everything for a NotResource, and denies where a condition does not hold.
"""

import io
import json
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

from moto.iam.models import get_account_id_from, iam_backends
from moto.sts.models import AssumedRole, sts_backends

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SUPPORTED_KEYS = {"Sid", "Effect", "Action", "Resource"}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")

# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
INVOCATION = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")


class AccessDenied(Exception):
    """The message is AWS's: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""


def enforce_policies(application: "WSGIApplication", lock: threading.Lock) -> "WSGIApplication":
    """Answers AccessDeniedException, and prints a line to stderr, when the caller's role does not allow the call.

    Holds `lock` only while it reads moto's state.
    """

    def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            with lock:
                _authorize(environ, body)
        except AccessDenied as error:
            print(f"iam: {error}", file=sys.stderr, flush=True)
            start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.0")])
            return [json.dumps({"__type": "AccessDeniedException", "Message": str(error)}).encode()]
        return application(environ | {"wsgi.input": io.BytesIO(body)}, start_response)

    return guarded


def _authorize(environ: "WSGIEnvironment", body: bytes) -> None:
    credential = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    session = _session(credential["key"]) if credential else None
    if credential is None or session is None:
        return
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    prefix = f"arn:aws:{credential['service']}:{credential['region']}:{session.account_id}:"
    request: Mapping[str, Any] = json.loads(body) if operation else {}
    if invoked := INVOCATION.fullmatch(environ.get("PATH_INFO", "")):
        qualifiers = parse_qs(environ.get("QUERY_STRING", "")).get("Qualifier", [])
        operation, request = "InvokeFunction", {"Function": ":".join([invoked["name"], *qualifiers])}
    for name, resource in _needed(operation, prefix, request):
        action = f"{credential['service']}:{name}"
        if refusal := _refusal(session, action, resource):
            raise AccessDenied(
                f"User: {session.arn} is not authorized to perform: {action} on resource: {resource} {refusal}"
            )


def _session(access_key: str) -> AssumedRole | None:
    return sts_backends[get_account_id_from(access_key)]["aws"].get_assumed_role_from_access_key(access_key)


def _needed(operation: str, prefix: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The names of the actions that the request needs, each with the ARN of a resource."""
    for part in request.get("TransactItems", []):
        for kind, arguments in part.items():
            yield from ((f"{kind}Item", resource) for resource in _resources(prefix, arguments))
    if "TransactItems" not in request:
        yield from ((operation, resource) for resource in _resources(prefix, request))


def _resources(prefix: str, request: Mapping[str, Any]) -> list[str]:
    """ARNs of the resources in the request, as policies write them: a parameter has no version and no first slash."""
    match request:
        case {"TableName": str(table), "IndexName": str(index)}:
            return [f"{prefix}table/{table}/index/{index}"]
        case {"TableName": str(table)}:
            return [f"{prefix}table/{table}"]
        case {"RequestItems": tables}:
            return [f"{prefix}table/{table}" for table in tables]
        case {"Name": str(parameter)}:
            return [f"{prefix}parameter/{parameter.partition(':')[0].removeprefix('/')}"]
        case {"Function": str(function)}:
            return [function if function.startswith("arn:") else f"{prefix}function:{function}"]
        case {"logGroupIdentifier": str(group)} | {"logGroupName": str(group)}:
            return [f"{group if group.startswith('arn:') else f'{prefix}log-group:{group}'}:log-stream:"]
        case _:
            return ["*"]


def _refusal(session: AssumedRole, action: str, resource: str) -> str | None:
    effects = {s["Effect"] for s in _statements(session.role_arn) if _concerns(s, action, resource)}
    if "Deny" in effects:
        return "with an explicit deny in an identity-based policy"
    return None if "Allow" in effects else f"because no identity-based policy allows the {action} action"


def _statements(role_arn: str) -> Iterator[Mapping[str, Any]]:
    """The statements of the role's inline and attached policies; none if the role no longer exists."""
    for role in iam_backends[role_arn.split(":")[4]]["aws"].roles.values():
        if role.arn == role_arn:
            versions = [version for policy in role.managed_policies.values() for version in policy.versions]
            for document in [*role.policies.values(), *(v.document for v in versions if v.is_default)]:
                yield from _several(json.loads(document)["Statement"])


def _concerns(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    if not statement.keys() <= SUPPORTED_KEYS:
        return statement["Effect"] == "Deny"
    return any(_matches(pattern.lower(), action.lower()) for pattern in _several(statement["Action"])) and any(
        _matches(pattern, resource) for pattern in _several(statement["Resource"])
    )


def _several(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [value]


def _matches(pattern: str, value: str) -> bool:
    """`*` matches any number of characters, `?` exactly one."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value) is not None
