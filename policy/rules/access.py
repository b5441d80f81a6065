"""The API's front door is the only public access."""

import re
from collections.abc import Iterator

from pulumi_policy import PolicyResource

from rules.reading import allowing, below, has, joined, texts
from rules.rule import Resource, resource_rule, stack_rule

# Canned ACLs, and the groups of grants: docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
PUBLIC_ACL = r"public-read|public-read-write|authenticated-read|.*/groups/global/(AllUsers|AuthenticatedUsers)"
BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
# cloud.google.com/iam/docs/principals-overview; access control lists have a role in front, `READER:allUsers`
EVERYBODY = r"(.*:)?(allUsers|allAuthenticatedUsers)"
# The name of invokerIamDisabled in version 1 of the API: cloud.google.com/run/docs/authenticating/public
INVOKER_IAM_DISABLED = "run.googleapis.com/invoker-iam-disabled"


@resource_rule("aws:lambda/functionUrl:FunctionUrl")
def function_urls_take_signed_requests(url: Resource) -> Iterator[str]:
    """Function URLs accept only signed requests, because the HTTP API is the front door on AWS."""
    kind = url.props.get("authorizationType")
    if kind != "AWS_IAM":
        yield f"authorizationType is {kind}: set it to AWS_IAM, or use the HTTP API"


@resource_rule("aws:lambda/permission:Permission")
def functions_know_their_callers(permission: Resource) -> Iterator[str]:
    """Functions may be invoked only by a known account, or by a service for a known resource."""
    principal = permission.props.get("principal", "")
    if principal == "*":
        yield "principal is *, which is everybody: name the account or the service that invokes the function"
    elif principal.endswith(".amazonaws.com") and not (
        has(permission.props, "sourceArn") or has(permission.props, "sourceAccount")
    ):
        yield f"principal is {principal} of any account: name the resource that invokes the function in sourceArn"


@resource_rule("aws:*")
def policies_name_their_principals(resource: Resource) -> Iterator[str]:
    """No resource policy allows access to everybody."""
    for statement in allowing(resource):
        if any(text == "*" for _, text in texts(statement.get("Principal"))):
            yield f"its policy allows {joined(statement.get('Action'))} to Principal *: name the accounts or services"
        if has(statement, "NotPrincipal"):
            yield "its policy allows NotPrincipal, which is everybody else: name who is allowed in Principal"


@resource_rule("aws:s3/*")
def s3_is_private(resource: Resource) -> Iterator[str]:
    """No access control list opens a bucket or an object to the world."""
    for path, text in texts(resource.props):
        if re.fullmatch(PUBLIC_ACL, text):
            yield f"{path} is {text}, which is everybody: remove it, and objects are private"


@resource_rule("aws:s3/*PublicAccessBlock:*")
def s3_blocks_public_access(block: Resource) -> Iterator[str]:
    """A public access block blocks all public access. S3 blocks all of it for new buckets without one."""
    for name in BLOCKS:
        if block.props.get(name) is not True:
            yield f"{name} is {block.props.get(name)}: set it to true, or remove the resource"


@resource_rule("gcp:*")
def no_role_is_for_everybody(resource: Resource) -> Iterator[str]:
    """On Google Cloud no role is granted to everybody."""
    for path, text in texts(resource.props):
        if re.fullmatch(EVERYBODY, text):
            yield f"{path} is {text}: name accounts; the one public Cloud Run service sets invokerIamDisabled instead"


@resource_rule("gcp:storage/bucket:Bucket")
def buckets_prevent_public_access(bucket: Resource) -> Iterator[str]:
    """No access control list or IAM role can open a bucket to the world."""
    prevention = bucket.props.get("publicAccessPrevention")
    if prevention != "enforced":
        yield f"publicAccessPrevention is {prevention}: set it to enforced"


@stack_rule
def one_service_is_open_to_everybody(resources: list[PolicyResource]) -> Iterator[tuple[Resource, str]]:
    """A stack on Google Cloud has only one public service."""
    doors = [resource for resource in resources if _is_open(resource)]
    for door in doors[1:]:
        others = ", ".join(other.name for other in doors if other is not door)
        yield door, f"it is open to everybody, and so is {others}: unset invokerIamDisabled, and name who may invoke it"


def _is_open(resource: Resource) -> bool:
    if resource.resource_type == "gcp:cloudrun/service:Service":
        return below(resource.props, "metadata", "annotations").get(INVOKER_IAM_DISABLED) == "true"
    return resource.resource_type == "gcp:cloudrunv2/service:Service" and bool(resource.props.get("invokerIamDisabled"))
