"""Nobody comes in but through the API's front door."""

import re
from collections.abc import Iterator

from pulumi_policy import PolicyResource

from rules.reading import allowing, has, joined, texts
from rules.rule import Resource, resource_rule, stack_rule

# docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html: canned ACLs, and the groups of grants
PUBLIC_ACL = r"public-read|public-read-write|authenticated-read|.*/groups/global/(AllUsers|AuthenticatedUsers)"
BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
# cloud.google.com/iam/docs/principals-overview; in access control lists behind a role, `READER:allUsers`
EVERYBODY = r"(.*:)?(allUsers|allAuthenticatedUsers)"
INVOKERS = ("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", "gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding")


@resource_rule("aws:lambda/functionUrl:FunctionUrl")
def function_urls_take_signed_requests(url: Resource) -> Iterator[str]:
    """The HTTP API is the front door on AWS: what calls a function by its URL signs its requests."""
    kind = url.props.get("authorizationType")
    if kind != "AWS_IAM":
        yield f"authorizationType is {kind}: make it AWS_IAM, or let requests come through the HTTP API"


@resource_rule("aws:lambda/permission:Permission")
def functions_know_their_callers(permission: Resource) -> Iterator[str]:
    """Functions are invoked by a known account or by a service on behalf of a known resource."""
    principal = permission.props.get("principal", "")
    if principal == "*":
        yield "principal is *, which is everybody: name the account or the service that invokes the function"
    elif principal.endswith(".amazonaws.com") and not (
        has(permission.props, "sourceArn") or has(permission.props, "sourceAccount")
    ):
        yield f"principal is {principal} of any account: name the resource that invokes the function in sourceArn"


@resource_rule("aws:*")
def policies_name_their_principals(resource: Resource) -> Iterator[str]:
    """No policy of a resource lets everybody in."""
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
            yield f"{path} is {text}, which is everybody: take it away, objects are private then"


@resource_rule("aws:s3/*PublicAccessBlock:*")
def s3_blocks_public_access(block: Resource) -> Iterator[str]:
    """A block of public access blocks all of it; S3 blocks all for new buckets without one."""
    for name in BLOCKS:
        if block.props.get(name) is not True:
            yield f"{name} is {block.props.get(name)}: make it true, or leave the whole resource out"


@resource_rule("gcp:*")
def only_the_service_is_open_to_everybody(resource: Resource) -> Iterator[str]:
    """On Google Cloud everybody gets roles/run.invoker on the Cloud Run service, and nothing else."""
    if not _invokes(resource):
        for path, text in texts(resource.props):
            if re.fullmatch(EVERYBODY, text):
                yield f"{path} is {text}: name accounts; only a Cloud Run service's roles/run.invoker is for everybody"


@resource_rule("gcp:cloudrunv2/service:Service")
def services_ask_who_invokes_them(service: Resource) -> Iterator[str]:
    """Who may call a Cloud Run service is written down in IAM."""
    if service.props.get("invokerIamDisabled"):
        yield "invokerIamDisabled is true: leave it out, and give roles/run.invoker to who may call the service"


@resource_rule("gcp:storage/bucket:Bucket")
def buckets_prevent_public_access(bucket: Resource) -> Iterator[str]:
    """No access control list or IAM role can open a bucket to the world."""
    prevention = bucket.props.get("publicAccessPrevention")
    if prevention != "enforced":
        yield f"publicAccessPrevention is {prevention}: make it enforced"


@stack_rule
def one_service_is_open_to_everybody(resources: list[PolicyResource]) -> Iterator[tuple[Resource, str]]:
    """A stack has one front door."""
    doors = [r for r in resources if _invokes(r) and any(re.fullmatch(EVERYBODY, text) for _, text in texts(r.props))]
    for door in doors[1:]:
        others = ", ".join(other.name for other in doors if other is not door)
        yield door, f"everybody may invoke {door.props['name']}, and there is {others} too: keep one of them"


def _invokes(resource: Resource) -> bool:
    return resource.resource_type in INVOKERS and resource.props.get("role") == "roles/run.invoker"
