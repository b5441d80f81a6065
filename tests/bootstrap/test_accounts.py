"""What an account has after the real engine applied the programs to the laptop's clouds."""

import json
import re
from typing import Any

import pytest

from bootstrap.aws.rights import RIGHTS
from bootstrap.gcp import rights as gcp_rights
from tests.bootstrap.conftest import ROOT, Account
from tests.bootstrap.iam import allows

STATE = "state-better-together-123456789012-eu-west-1"
FILES = f"arn:aws:s3:::{STATE}/.pulumi"
AWS = "arn:aws:{}:eu-west-1:123456789012:"
SHARED = {"development", "production", "watch"}
PRODUCTION = {"production", "watch"}
NOBODY: set[str] = set()
BOUNDARY = "iam:PermissionsBoundary"
FOR_A_FUNCTION = {"iam:PassedToService": "lambda.amazonaws.com"}


def boundary(environment: str) -> str:
    return f"arn:aws:iam::123456789012:policy/boundary-better-together-{environment}"


@pytest.fixture(scope="module")
def deployers(aws_account: Account) -> dict[str, list[dict[str, Any]]]:
    """Environment -> the policies of its role."""
    managed = {
        one["outputs"]["arn"]: json.loads(one["inputs"]["policy"]) for one in aws_account.all(":Policy").values()
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for name, one in aws_account.all(":RolePolicy").items():
        role = one["inputs"]["role"]
        attached = aws_account.all(":RolePolicyAttachment").values()
        arns = [other["inputs"]["policyArn"] for other in attached if other["inputs"]["role"] == role]
        found[name] = [json.loads(one["inputs"]["policy"]), *(managed[arn] for arn in arns)]
    return found


@pytest.mark.parametrize("account", ["aws_account", "gcp_project"])
def test_a_second_run_changes_nothing(account: str, request: pytest.FixtureRequest) -> None:
    made: Account = request.getfixturevalue(account)
    assert made.engine.preview(made.program) == {}


@pytest.mark.parametrize("account", ["aws_account", "gcp_project"])
def test_the_state_and_the_key_cannot_be_destroyed(account: str, request: pytest.FixtureRequest) -> None:
    made: Account = request.getfixturevalue(account)
    protected = {one["type"] for one in made.resources if one.get("protect")}
    aws, gcp = {"aws:kms/key:Key", "aws:s3/bucket:Bucket"}, {"gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey"}
    assert protected == (aws if account == "aws_account" else {*gcp, "gcp:storage/bucket:Bucket"})


def test_the_state_on_aws(aws_account: Account) -> None:
    key = aws_account.all("kms/key:Key")["state"]
    assert key["inputs"]["enableKeyRotation"] is True
    [encryption] = aws_account.inputs("BucketServerSideEncryptionConfiguration", "state")["rules"]
    assert encryption["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": key["outputs"]["arn"],
    }
    assert aws_account.inputs("BucketVersioning", "state")["versioningConfiguration"] == {"status": "Enabled"}
    [old] = aws_account.inputs("BucketLifecycleConfiguration", "state")["rules"]
    assert old["noncurrentVersionExpiration"] == {"noncurrentDays": 90}
    block = aws_account.inputs("BucketPublicAccessBlock", "state")
    assert [value for name, value in block.items() if name.startswith(("block", "ignore", "restrict"))] == [True] * 4
    policy = json.loads(aws_account.inputs("BucketPolicy", "state")["policy"])
    [statement] = policy["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:aws:s3:::{STATE}", f"arn:aws:s3:::{STATE}/*"]


def test_the_state_on_google_cloud(gcp_project: Account) -> None:
    key = gcp_project.all("kms/cryptoKey:CryptoKey")["state"]
    assert key["inputs"]["rotationPeriod"] == "7776000s"
    bucket = gcp_project.inputs("storage/bucket:Bucket", "state")
    assert bucket["encryption"] == {"defaultKmsKeyName": key["id"]}
    assert bucket["versioning"] == {"enabled": True}
    assert (bucket["publicAccessPrevention"], bucket["uniformBucketLevelAccess"]) == ("enforced", True)
    [old] = bucket["lifecycleRules"]
    assert old["condition"] == {"daysSinceNoncurrentTime": 90}
    agent = gcp_project.inputs("CryptoKeyIAMMember", "state")
    assert agent["member"] == "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"


def test_the_variables_for_github(aws_account: Account, gcp_project: Account) -> None:
    assert aws_account.variables.keys() == SHARED
    assert aws_account.variables["production"] == {
        "AWS_REGION": "eu-west-1",
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/deploy-better-together-production",
        "AWS_BACKEND_URL": f"s3://{STATE}?region=eu-west-1",
        "AWS_SECRETS_PROVIDER": "awskms://alias/better-together?region=eu-west-1",
    }
    pool = "projects/123456789012/locations/global/workloadIdentityPools/github"
    assert gcp_project.variables["production"] == {
        "GCP_PROJECT": "laptop",
        "GCP_WORKLOAD_IDENTITY_PROVIDER": f"{pool}/providers/github",
        "GCP_SERVICE_ACCOUNT": "deploy-production@laptop.iam.gserviceaccount.com",
        "GCP_BACKEND_URL": "gs://laptop-pulumi-state",
        "GCP_SECRETS_PROVIDER": (
            f"gcpkms://projects/laptop/locations/{gcp_project.inputs('KeyRing', 'state')['location']}"
            "/keyRings/pulumi/cryptoKeys/state"
        ),
    }


def test_the_docs_list_the_variables(aws_account: Account, gcp_project: Account) -> None:
    rows = re.findall(r"^\| (`.+`) \|", (ROOT / "docs" / "bootstrap.md").read_text(), re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(aws_account.variables["production"] | gcp_project.variables["production"])


@pytest.mark.parametrize(
    ("action", "resource", "who"),
    [
        ("dynamodb:UpdateTable", AWS.format("dynamodb") + "table/better-together-aws", SHARED),
        ("dynamodb:UpdateTable", AWS.format("dynamodb") + "table/better-together-aws-pictures", SHARED),
        ("dynamodb:UpdateTable", AWS.format("dynamodb") + "table/better-together-aws-prod", PRODUCTION),
        ("dynamodb:UpdateTable", AWS.format("dynamodb") + "table/better-together-aws-prod-pictures", PRODUCTION),
        ("dynamodb:UpdateTable", AWS.format("dynamodb") + "table/orders", NOBODY),
        ("ssm:PutParameter", AWS.format("ssm") + "parameter/better-together-aws/momento-api-key", SHARED),
        ("ssm:PutParameter", AWS.format("ssm") + "parameter/better-together-aws-prod/momento-api-key", PRODUCTION),
        ("lambda:InvokeFunction", AWS.format("lambda") + "function:better-together-aws:7", SHARED),
        ("lambda:InvokeFunction", AWS.format("lambda") + "function:better-together-aws-prod:7", PRODUCTION),
        ("s3:GetObject", "arn:aws:s3:::better-together-aws-source-1/sha256.zip", SHARED),
        ("s3:GetObject", "arn:aws:s3:::better-together-aws-prod-source-1/sha256.zip", PRODUCTION),
        ("s3:PutObject", f"{FILES}/meta.yaml", SHARED),
        ("s3:PutObject", f"{FILES}/stacks/better-together/aws.json", SHARED),
        ("s3:DeleteObject", f"{FILES}/locks/organization/better-together/aws/1.json", SHARED),
        ("s3:GetObject", f"{FILES}/stacks/better-together/aws-prod.json", PRODUCTION),
        ("s3:DeleteObject", f"{FILES}/locks/organization/better-together/aws-prod/1.json", PRODUCTION),
        ("s3:GetObject", f"{FILES}/stacks/better-together-bootstrap-aws/main.json", NOBODY),
        ("s3:DeleteObjectVersion", f"{FILES}/stacks/better-together/aws.json", NOBODY),
        ("s3:DeleteBucket", f"arn:aws:s3:::{STATE}", NOBODY),
        ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/deploy-better-together-development", NOBODY),
        ("iam:UpdateAssumeRolePolicy", "arn:aws:iam::123456789012:role/deploy-better-together-production", NOBODY),
        ("iam:CreatePolicyVersion", "arn:aws:iam::123456789012:policy/deploy-better-together-1", NOBODY),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/better-together-aws", NOBODY),
        ("iam:AttachRolePolicy", "arn:aws:iam::123456789012:role/better-together-aws-prod", NOBODY),
        ("kms:ScheduleKeyDeletion", "*", NOBODY),
    ],
)
def test_who_may_do_what(deployers: dict[str, list[dict[str, Any]]], action: str, resource: str, who: set[str]) -> None:
    assert {name for name, policies in deployers.items() if allows(policies, action, resource)} == who


@pytest.mark.parametrize(
    ("actions", "resource"),
    [
        ("iam:DeleteRole iam:UpdateAssumeRolePolicy iam:PassRole", "arn:aws:iam::123456789012:role/better-together-{}"),
        ("iam:PutRolePolicy iam:DeleteRolePolicy", "arn:aws:iam::123456789012:role/better-together-{}-1a2b3c4"),
        ("lambda:UpdateFunctionCode lambda:DeleteFunction", AWS.format("lambda") + "function:better-together-{}"),
        ("lambda:UpdateAlias", AWS.format("lambda") + "function:better-together-{}:live"),
        ("dynamodb:UpdateTable dynamodb:DeleteTable", AWS.format("dynamodb") + "table/better-together-{}"),
        ("dynamodb:DeleteTable", AWS.format("dynamodb") + "table/better-together-{}-pictures"),
        ("s3:PutObject s3:DeleteObject", "arn:aws:s3:::better-together-{}-source-1/sha256.zip"),
        ("s3:PutObject s3:DeleteObject", f"{FILES}/stacks/better-together/{{}}.json"),
        ("s3:PutObject s3:DeleteObject", f"{FILES}/stacks/better-together/{{}}.json.bak"),
        ("s3:PutObject s3:DeleteObject", f"{FILES}/locks/organization/better-together/{{}}/1.json"),
        ("s3:PutObject s3:DeleteObject", f"{FILES}/history/better-together/{{}}/1.history.json"),
        ("s3:PutObject s3:DeleteObject", f"{FILES}/backups/better-together/{{}}/1.json"),
    ],
)
@pytest.mark.parametrize(
    ("stack", "who"), [("aws-prod", PRODUCTION), ("aws-prod2", PRODUCTION), ("aws-pr-12", SHARED), ("aws-pro", SHARED)]
)
def test_who_may_change_what_belongs_to_a_stack(
    deployers: dict[str, list[dict[str, Any]]], actions: str, resource: str, stack: str, who: set[str]
) -> None:
    for action in actions.split():
        allowed = {
            name
            for name, policies in deployers.items()
            if allows(policies, action, resource.format(stack), FOR_A_FUNCTION | {BOUNDARY: boundary(name)})
        }
        assert allowed == who, action


def test_a_role_is_given_to_functions_alone(deployers: dict[str, list[dict[str, Any]]]) -> None:
    role = "arn:aws:iam::123456789012:role/better-together-aws"
    services = [
        service
        for service in ("lambda.amazonaws.com", "ec2.amazonaws.com")
        if allows(deployers["development"], "iam:PassRole", role, {"iam:PassedToService": service})
    ]
    assert services == ["lambda.amazonaws.com"]


def test_a_role_is_made_with_the_boundary_of_the_environment_alone(deployers: dict[str, list[dict[str, Any]]]) -> None:
    role = "arn:aws:iam::123456789012:role/better-together-pr-7"
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        allowed = {
            (name, other)
            for name, policies in deployers.items()
            for other in SHARED
            if allows(policies, action, role, {BOUNDARY: boundary(other)})
        }
        assert allowed == {(name, name) for name in SHARED}
        assert not [name for name, policies in deployers.items() if allows(policies, action, role)]


@pytest.mark.parametrize(
    ("action", "table", "who"),
    [
        ("dynamodb:GetItem", "better-together-aws", SHARED),
        ("dynamodb:GetItem", "better-together-aws-prod", PRODUCTION),
        ("dynamodb:GetItem", "orders", NOBODY),
        ("dynamodb:DeleteTable", "better-together-aws", NOBODY),
    ],
)
def test_the_most_that_a_function_may_do(aws_account: Account, action: str, table: str, who: set[str]) -> None:
    arns = aws_account.engine.output("permissionsBoundaries")
    assert arns.keys() == SHARED
    policies = {name: json.loads(aws_account.inputs(":Policy", name)["policy"]) for name in arns}
    resource = f"{AWS.format('dynamodb')}table/{table}"
    assert {name for name, policy in policies.items() if allows([policy], action, resource)} == who


def test_the_key_is_the_deployers(aws_account: Account, deployers: dict[str, list[dict[str, Any]]]) -> None:
    key = aws_account.all("kms/key:Key")["state"]["outputs"]["arn"]
    for action in ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"):
        assert {name for name, policies in deployers.items() if allows(policies, action, key)} == SHARED


def test_a_deployer_has_every_right(deployers: dict[str, list[dict[str, Any]]]) -> None:
    allowed = [set(s["Action"]) for policy in deployers["development"] for s in policy["Statement"]]
    assert {action for right in RIGHTS for action in right.actions} <= set[str]().union(*allowed)


@pytest.mark.parametrize("environment", ["development", "production"])
def test_the_roles_of_a_deployer_on_google_cloud(gcp_project: Account, environment: str) -> None:
    member = f"serviceAccount:deploy-{environment}@laptop.iam.gserviceaccount.com"
    granted = [one["inputs"] for one in gcp_project.all("projects/iAMMember:IAMMember").values()]
    assert sorted(one["role"] for one in granted if one["member"] == member) == sorted(
        right.role for right in gcp_rights.RIGHTS
    )
    on_state = gcp_project.inputs("BucketIAMMember", f"{environment}-state")
    assert (on_state["bucket"], on_state["member"]) == ("laptop-pulumi-state", member)
    on_key = gcp_project.inputs("CryptoKeyIAMMember", f"{environment}-state")
    assert (on_key["role"], on_key["member"]) == ("roles/cloudkms.cryptoKeyEncrypterDecrypter", member)
