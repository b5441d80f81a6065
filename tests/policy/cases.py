"""For each rule on a single resource: inputs that keep it, and changes of them that break it, by what it says then."""

import json
from dataclasses import dataclass, field
from typing import Any

from local.providers.values import UNKNOWN, seal

type Props = dict[str, Any]

ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
PERMISSION = "aws:lambda/permission:Permission"
FUNCTION = "aws:lambda/function:Function"
SERVICE = "gcp:cloudrunv2/service:Service"
JOB = "gcp:cloudrunv2/job:Job"
TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/users"
LOG_ARN = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/x:*"
BASE = "us-central1-docker.pkg.dev/serverless-runtimes/google-22/runtimes"
NAME_RESOURCE = "name the resource's own ARN"
NAME_PUBLIC = "name accounts; the one public Cloud Run service sets invokerIamDisabled instead"
NO_PARAMETER = "name an SSM parameter that holds it"
NO_REFERENCE = "take it from Secret Manager by valueSource.secretKeyRef"
NOT_PINNED = "name it by its digest, or by a tag that does not move"
TAGS = {"project": "p", "stack": "s", "environment": "development"}
UNTAGGED = "add the stack's tags or labels (if its type has none, add it to UNTAGGABLE in policy/rules/tags.py)"


@dataclass(frozen=True)
class Case:
    rule: str
    type: str
    right: Props
    wrong: dict[str, Props] = field(default_factory=dict[str, Props])
    advisory: bool = False
    """Whether the rule warns instead of stopping the update."""


def document(effect: str = "Allow", **statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, **statement}]})


def variables(**values: Any) -> Props:
    return {"environment": {"variables": values}}


def containers(*containers: Props) -> Props:
    return {"template": {"containers": list(containers)}}


def env(name: str, **value: Any) -> Props:
    return containers({"envs": [{"name": name, **value}]})


ACCESS = [
    Case(
        "function-urls-take-signed-requests",
        "aws:lambda/functionUrl:FunctionUrl",
        {"authorizationType": "AWS_IAM"},
        {"authorizationType is NONE: set it to AWS_IAM, or use the HTTP API": {"authorizationType": "NONE"}},
    ),
    Case(
        "functions-know-their-callers",
        PERMISSION,
        {"principal": "apigateway.amazonaws.com", "sourceArn": UNKNOWN},
        {
            "principal is *, which is everybody: name the account or the service that invokes the function": {
                "principal": "*"
            },
            "principal is apigateway.amazonaws.com of any account: "
            "name the resource that invokes the function in sourceArn": {"sourceArn": None},
        },
    ),
    Case("functions-know-their-callers", PERMISSION, {"principal": "events.amazonaws.com", "sourceAccount": "1"}),
    Case(
        "policies-name-their-principals",
        BUCKET_POLICY,
        {"policy": document(Action="s3:GetObject", Principal={"AWS": "arn:aws:iam::123456789012:role/x"})},
        {
            "its policy allows s3:GetObject to Principal *: name the accounts or services": {
                "policy": document(Action="s3:GetObject", Principal="*")
            },
            "its policy allows s3:GetObject, s3:PutObject to Principal *: name the accounts or services": {
                "policy": document(Action=["s3:GetObject", "s3:PutObject"], Principal={"AWS": ["*"]})
            },
            "its policy allows NotPrincipal, which is everybody else: name who is allowed in Principal": {
                "policy": document(Action="s3:GetObject", NotPrincipal={"AWS": "123456789012"})
            },
        },
    ),
    Case(
        "policies-name-their-principals",
        BUCKET_POLICY,
        {"policy": document("Deny", Action="s3:*", Principal="*", Resource="*")},
    ),
    Case(
        "policies-name-their-principals",
        "aws:iam/role:Role",
        {"assumeRolePolicy": document(Action="sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})},
        {
            "its policy allows sts:AssumeRole to Principal *: name the accounts or services": {
                "assumeRolePolicy": document(Action="sts:AssumeRole", Principal={"AWS": "*"})
            }
        },
    ),
    Case(
        "s3-is-private",
        "aws:s3/bucketAcl:BucketAcl",
        {"acl": "private"},
        {
            "acl is public-read, which is everybody: remove it, and objects are private": {"acl": "public-read"},
            "grants[0].uri is http://acs.amazonaws.com/groups/global/AllUsers, which is everybody: "
            "remove it, and objects are private": {
                "grants": [{"uri": "http://acs.amazonaws.com/groups/global/AllUsers", "permissions": ["READ"]}]
            },
        },
    ),
    Case(
        "s3-blocks-public-access",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        dict.fromkeys(["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"], True),
        {
            "blockPublicPolicy is False: set it to true, or remove the resource": {"blockPublicPolicy": False},
            "restrictPublicBuckets is None: set it to true, or remove the resource": {"restrictPublicBuckets": None},
        },
    ),
    Case(
        "no-role-is-for-everybody",
        "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
        {"role": "roles/run.invoker", "member": "user:ada@example.com"},
        {f"member is allUsers: {NAME_PUBLIC}": {"member": "allUsers"}},
    ),
    Case(
        "no-role-is-for-everybody",
        "gcp:storage/bucketIAMBinding:BucketIAMBinding",
        {"role": "roles/storage.objectViewer", "members": ["user:ada@example.com", UNKNOWN]},
        {
            f"members[1] is allAuthenticatedUsers: {NAME_PUBLIC}": {
                "members": ["user:ada@example.com", "allAuthenticatedUsers"]
            }
        },
    ),
    Case(
        "no-role-is-for-everybody",
        "gcp:storage/bucketIAMPolicy:BucketIAMPolicy",
        {"policyData": json.dumps({"bindings": [{"role": "roles/viewer", "members": ["user:ada@example.com"]}]})},
        {
            f"policyData.bindings[0].members[0] is allUsers: {NAME_PUBLIC}": {
                "policyData": json.dumps({"bindings": [{"role": "roles/viewer", "members": ["allUsers"]}]})
            }
        },
    ),
    Case(
        "no-role-is-for-everybody",
        "gcp:storage/bucketACL:BucketACL",
        {"roleEntities": ["READER:user-ada@example.com"]},
        {f"roleEntities[0] is READER:allUsers: {NAME_PUBLIC}": {"roleEntities": ["READER:allUsers"]}},
    ),
    Case(
        "buckets-prevent-public-access",
        "gcp:storage/bucket:Bucket",
        {"publicAccessPrevention": "enforced"},
        {
            "publicAccessPrevention is inherited: set it to enforced": {"publicAccessPrevention": "inherited"},
            "publicAccessPrevention is None: set it to enforced": {"publicAccessPrevention": None},
        },
    ),
]

IAM = [
    Case(
        "policies-name-their-actions",
        ROLE_POLICY,
        {"policy": document(Action=["dynamodb:GetItem"], Resource=TABLE_ARN)},
        {
            "its policy allows the action *: name each action that is called": {
                "policy": document(Action="*", Resource=TABLE_ARN)
            },
            "its policy allows the action dynamodb:Get*: name each action that is called": {
                "policy": document(Action=["dynamodb:Query", "dynamodb:Get*"], Resource=TABLE_ARN)
            },
            "its policy allows NotAction iam:PassRole: name what is allowed in Action": {
                "policy": document(NotAction="iam:PassRole", Resource=TABLE_ARN)
            },
        },
    ),
    Case(
        "policies-name-their-actions",
        "aws:iam/role:Role",
        {"inlinePolicies": [{}, {"name": "x", "policy": document(Action="ssm:GetParameter", Resource=TABLE_ARN)}]},
        {
            "its policy allows the action ssm:*: name each action that is called": {
                "inlinePolicies": [{"name": "x", "policy": document(Action="ssm:*", Resource=TABLE_ARN)}]
            }
        },
    ),
    Case(
        "policies-name-their-resources",
        ROLE_POLICY,
        {"policy": document(Action="logs:PutLogEvents", Resource=[TABLE_ARN, LOG_ARN])},
        {
            f"its policy allows dynamodb:Scan on *: {NAME_RESOURCE}": {
                "policy": document(Action="dynamodb:Scan", Resource="*")
            },
            f"its policy allows dynamodb:Scan on {TABLE_ARN}*: {NAME_RESOURCE}": {
                "policy": document(Action="dynamodb:Scan", Resource=[TABLE_ARN, f"{TABLE_ARN}*"])
            },
            "its policy allows logs:PutLogEvents on arn:aws:logs:us-east-1:123456789012:log-group:*:*: "
            f"{NAME_RESOURCE}": {
                "policy": document(
                    Action="logs:PutLogEvents", Resource="arn:aws:logs:us-east-1:123456789012:log-group:*:*"
                )
            },
            f"its policy allows xray:PutTraceSegments, dynamodb:Scan on *: {NAME_RESOURCE}": {
                "policy": document(Action=["xray:PutTraceSegments", "dynamodb:Scan"], Resource="*")
            },
            f"its policy allows NotResource {TABLE_ARN}: name what is meant in Resource": {
                "policy": document(Action="dynamodb:Scan", NotResource=TABLE_ARN)
            },
        },
    ),
    Case(
        "policies-name-their-resources",
        ROLE_POLICY,
        {"policy": document(Action=["xray:PutTraceSegments", "xray:PutTelemetryRecords"], Resource="*")},
    ),
    Case(
        "no-managed-wildcards",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"},
        {
            f"policyArn is arn:aws:iam::aws:policy/{name}: write a policy with only the necessary actions": {
                "policyArn": f"arn:aws:iam::aws:policy/{name}"
            }
            for name in ("AdministratorAccess", "AmazonDynamoDBFullAccess", "PowerUserAccess")
        },
    ),
    Case(
        "no-basic-roles",
        "gcp:projects/iAMMember:IAMMember",
        {"role": "roles/datastore.user", "member": UNKNOWN},
        {
            f"role is roles/{name}: grant a predefined role on the one resource instead": {"role": f"roles/{name}"}
            for name in ("owner", "editor")
        },
    ),
]

LOGS = [
    Case(
        "log-groups-have-a-retention",
        "aws:cloudwatch/logGroup:LogGroup",
        {"retentionInDays": 30},
        {"retentionInDays is 0, which is forever: set a number of days": {"retentionInDays": None}},
    ),
    Case(
        "functions-log-into-a-group-of-the-stack",
        FUNCTION,
        {"loggingConfig": {"logFormat": "Text", "logGroup": UNKNOWN}},
        {
            "loggingConfig.logGroup is missing: set it to a log group with retentionInDays": {
                "loggingConfig": {"logFormat": "Text"}
            }
        },
    ),
]

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ0IjoiZyJ9.c2ln"
RANDOM = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY0"
SECRETS = [
    Case(
        "no-secrets-in-plain-variables",
        FUNCTION,
        variables(
            MOMENTO_API_KEY_PARAMETER="/x/momento-api-key:7",
            ARTIFACT_DIGEST="sha256:" + "0" * 64,
            USERS_TABLE=UNKNOWN,
            AUTH_AUDIENCE="BetterTogether1",
            API_KEY="",
        ),
        {
            f"the variable MOMENTO_API_KEY has the name of a secret and a plain value: {NO_PARAMETER}": variables(
                MOMENTO_API_KEY="hunter2"
            ),
            f"the variable db_password has the name of a secret and a plain value: {NO_PARAMETER}": variables(
                db_password=UNKNOWN
            ),
            f"the variable AUTH looks like a token (JWT, or a Momento key): {NO_PARAMETER}": variables(AUTH=JWT),
            f"the variable A looks like an AWS access key: {NO_PARAMETER}": variables(A="AKIAIOSFODNN7EXAMPLE"),
            f"the variable A looks like a Google API key: {NO_PARAMETER}": variables(A="AIza" + "0" * 35),
            f"the variable A looks like a GitHub token: {NO_PARAMETER}": variables(A="ghp_" + "a" * 36),
            f"the variable A looks like a private key: {NO_PARAMETER}": variables(
                A="-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"
            ),
            f"the variable A looks like a random key: {NO_PARAMETER}": variables(A=RANDOM),
            f"the variable A is a Pulumi secret in plain text: {NO_PARAMETER}": variables(A=seal("short")),
            f"the variable B is a Pulumi secret in plain text: {NO_PARAMETER}": variables(B=seal(UNKNOWN)),
            f"the variable C is a Pulumi secret in plain text: {NO_PARAMETER}": {
                "environment": seal({"variables": {"C": "c"}})
            },
        },
    ),
    Case(
        "no-secrets-in-plain-variables",
        SERVICE,
        env("MOMENTO_API_KEY", valueSource={"secretKeyRef": {"secret": "s", "version": UNKNOWN}}),
        {
            f"the variable MOMENTO_API_KEY has the name of a secret and a plain value: {NO_REFERENCE}": env(
                "MOMENTO_API_KEY", value="hunter2"
            ),
            f"the variable A is a Pulumi secret in plain text: {NO_REFERENCE}": env("A", value=seal("a")),
        },
    ),
    Case(
        "no-secrets-in-plain-variables",
        JOB,
        {"template": {"template": {"containers": [{"envs": [{"name": "DEMO", "value": "true"}]}]}}},
        {
            f"the variable A_TOKEN has the name of a secret and a plain value: {NO_REFERENCE}": {
                "template": {"template": {"containers": [{"envs": [{"name": "A_TOKEN", "value": "t"}]}]}}
            }
        },
    ),
]

TAGGING = [
    Case(
        "what-takes-tags-has-them",
        "aws:dynamodb/table:Table",
        {"tags": TAGS},
        {
            f"it lacks project and stack and environment: {UNTAGGED}": {"tags": None},
            f"it lacks environment: {UNTAGGED}": {"tags": {"project": "p", "stack": "s"}},
            "environment is prod: set it to development or production": {"tags": TAGS | {"environment": "prod"}},
        },
    ),
    Case(
        "what-takes-tags-has-them",
        "gcp:storage/bucket:Bucket",
        {"labels": TAGS},
        {f"it lacks stack: {UNTAGGED}": {"labels": {"project": "p", "environment": "production"}}},
    ),
    Case(
        "what-takes-tags-has-them",
        "gcp:monitoring/notificationChannel:NotificationChannel",
        {"labels": {"email_address": "ops@example.com"}, "userLabels": TAGS},
        {f"it lacks project and stack and environment: {UNTAGGED}": {"userLabels": None}},
    ),
    *(
        Case("what-takes-tags-has-them", kind, {})
        for kind in (PERMISSION, "gcp:firestore/database:Database", "gcp:projects/iAMMember:IAMMember")
    ),
]

RUNTIMES = [
    Case(
        "functions-pin-their-runtime",
        FUNCTION,
        {"runtime": "python3.13"},
        {
            f"runtime is {runtime}: name one with its version, such as python3.13": {"runtime": runtime}
            for runtime in ("python", "nodejs", "provided", "latest", None)
        },
    ),
    *(Case("functions-pin-their-runtime", FUNCTION, {"runtime": r}) for r in ("nodejs22.x", "java21", "dotnet8")),
    Case("functions-pin-their-runtime", FUNCTION, {"runtime": "provided.al2023"}),
    Case(
        "functions-pin-their-runtime",
        FUNCTION,
        {"packageType": "Image", "imageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1.2"},
        {
            f"imageUri is {image}: name the image by its digest, or by a tag that does not move": {"imageUri": image}
            for image in ("123456789012.dkr.ecr.us-east-1.amazonaws.com/x:latest", "r/x", None)
        },
    ),
    Case(
        "services-pin-their-image",
        SERVICE,
        containers({"image": "scratch", "baseImageUri": f"{BASE}/python313"}),
        {
            f"baseImageUri is {BASE}/python: name one with its version, such as .../google-22/runtimes/python313": (
                containers({"image": "scratch", "baseImageUri": f"{BASE}/python"})
            ),
            f"baseImageUri is {BASE}/python313:latest: "
            "name one with its version, such as .../google-22/runtimes/python313": containers(
                {"image": "scratch", "baseImageUri": f"{BASE}/python313:latest"}
            ),
            f"image is gcr.io/p/x:latest: {NOT_PINNED}": containers({"image": "gcr.io/p/x:latest"}),
            f"image is localhost:5000/x: {NOT_PINNED}": containers({"image": "localhost:5000/x"}),
        },
    ),
    Case("services-pin-their-image", SERVICE, containers({"image": f"gcr.io/p/x@sha256:{'0' * 64}"})),
]

ON = {"snapStart": {"applyOn": "PublishedVersions"}, "runtime": "python3.13", "memorySize": 1024}
IN_PRODUCTION = {"tags": TAGS | {"environment": "production"}}
COSTS = (
    "snapStart.applyOn is PublishedVersions outside production, and each version costs ${} a month as long as it exists"
)

SNAP_START = [
    Case(
        "snap-start-is-for-production",
        FUNCTION,
        ON | IN_PRODUCTION,
        {
            f"{COSTS.format('3.90')}: leave snapStart out": {"tags": TAGS},
            f"{COSTS.format('7.80')}: leave snapStart out": {"tags": None, "memorySize": 2048},
            f"{COSTS.format('0.49')}: leave snapStart out": {"tags": TAGS, "memorySize": None},
        },
        advisory=True,
    ),
    *(
        Case("snap-start-is-for-production", FUNCTION, ON | {"tags": TAGS} | changes)
        for changes in ({"snapStart": None}, {"snapStart": {"applyOn": "None"}}, {"runtime": "java21"})
    ),
]

CASES = [*ACCESS, *IAM, *LOGS, *SECRETS, *TAGGING, *RUNTIMES, *SNAP_START]
