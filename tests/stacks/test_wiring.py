"""What the resources are called, what they point to, and what the stack file decides about them."""

from functools import reduce
from typing import Any

from tests.stacks.deployment import Deployment

AWS = "better-together-aws"
GCP = "better-together-gcp"
TAGS = {"project": "better-together", "stack": "gcp", "environment": "development"}
CONTAINER = ("template", "containers", 0)

type Where = tuple[str, str, *tuple[str | int, ...]]

ON_AWS: dict[Where, Any] = {
    ("Cache", "users", "name"): AWS,
    ("Table", "users", "name"): AWS,
    ("Table", "users", "pointInTimeRecovery"): {"enabled": True, "recoveryPeriodInDays": 7},
    ("Table", "users", "deletionProtectionEnabled"): False,
    ("LogGroup", "function", "name"): f"/aws/lambda/{AWS}",
    ("LogGroup", "requests", "name"): f"/aws/vendedlogs/{AWS}",
    ("Role", "function", "name"): AWS,
    ("RolePolicy", "function", "name"): "function",
    ("RolePolicy", "function", "role"): AWS,
    ("Function", "api", "name"): AWS,
    ("Function", "api", "memorySize"): 1024,
    ("Function", "api", "timeout"): 10,
    ("Function", "api", "tracingConfig"): {"mode": "PassThrough"},
    ("Function", "api", "environment", "variables", "USERS_TABLE"): AWS,
    ("Function", "api", "environment", "variables", "METRICS_NAMESPACE"): AWS,
    ("Function", "api", "environment", "variables", "TIMEOUT_SECONDS"): "10",
    ("Function", "api", "environment", "variables", "MOMENTO_ENDPOINT"): "cell-us-east-1-1.prod.a.momentohq.com",
    ("Api", "api", "name"): AWS,
    ("Api", "api", "disableExecuteApiEndpoint"): False,
    ("Bucket", "source", "bucketPrefix"): f"{AWS}-",
    ("BucketObjectv2", "source", "contentType"): "application/zip",
    ("Integration", "live", "apiId"): "api-id",
    ("Integration", "live", "integrationMethod"): "POST",
    ("Integration", "live", "timeoutMilliseconds"): 10_000,
    ("Route", "default", "apiId"): "api-id",
    ("Stage", "default", "apiId"): "api-id",
    ("Stage", "default", "defaultRouteSettings"): {"throttlingBurstLimit": 500, "throttlingRateLimit": 1000},
}
ON_GCP: dict[Where, Any] = {
    ("Cache", "users", "name"): GCP,
    ("Account", "api", "accountId"): GCP,
    ("Account", "api", "displayName"): f"{GCP}: Cloud Run",
    ("Bucket", "source", "name"): f"a-project-{GCP}",
    ("Bucket", "source", "location"): "us-central1",
    ("Bucket", "source", "forceDestroy"): True,
    ("BucketObject", "source", "bucket"): f"a-project-{GCP}",
    ("BucketObject", "source", "contentType"): "application/gzip",
    ("Database", "users", "pointInTimeRecoveryEnablement"): "POINT_IN_TIME_RECOVERY_ENABLED",
    ("Database", "users", "deleteProtectionState"): "DELETE_PROTECTION_DISABLED",
    ("Database", "users", "deletionPolicy"): "DELETE",
    ("BackupSchedule", "users", "database"): GCP,
    ("BackupSchedule", "users", "retention"): f"{7 * 24 * 60 * 60}s",
    ("SecretVersion", "momento-api-key", "secret"): "momento-api-key-id",
    ("Service", "api", "name"): GCP,
    ("Service", "api", "location"): "us-central1",
    ("Service", "api", "ingress"): "INGRESS_TRAFFIC_ALL",
    ("Service", "api", "deletionProtection"): False,
    ("Service", "api", "defaultUriDisabled"): False,
    ("Service", "api", "template", "labels"): TAGS,
    ("Service", "api", "template", "timeout"): "10s",
    ("Service", "api", "template", "maxInstanceRequestConcurrency"): 8,
    ("Service", "api", *CONTAINER, "startupProbe", "periodSeconds"): 2,
    ("Service", "api", *CONTAINER, "startupProbe", "failureThreshold"): 30,
    ("Service", "api", *CONTAINER, "livenessProbe", "periodSeconds"): 30,
    ("Service", "api", *CONTAINER, "livenessProbe", "timeoutSeconds"): 5,
}


def look(stack: Deployment, where: Where) -> Any:
    kind, name, *keys = where
    inputs: Any = stack.inputs(f":{kind}", name)
    return reduce(lambda value, key: value[key], keys, inputs)


def test_aws(aws: Deployment) -> None:
    assert {where: look(aws, where) for where in ON_AWS} == ON_AWS


def test_gcp(gcp: Deployment) -> None:
    assert {where: look(gcp, where) for where in ON_GCP} == ON_GCP


def test_the_service_is_told_where_its_things_are(gcp: Deployment) -> None:
    [container] = gcp.inputs(":Service", "api")["template"]["containers"]
    given = {env["name"]: env["value"] for env in container["envs"] if "value" in env}
    assert given.items() >= {
        ("GOOGLE_CLOUD_PROJECT", "a-project"),
        ("FIRESTORE_DATABASE", GCP),
        ("METRICS_NAMESPACE", GCP),
        ("TIMEOUT_SECONDS", "10"),
        ("MOMENTO_ENDPOINT", "cell-us-east-1-1.prod.a.momentohq.com"),
    }
