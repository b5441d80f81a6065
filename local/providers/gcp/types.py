"""The Google Cloud resource types with behaviour on the laptop, which the daemon implements.

Ids come from "Import" in the real provider's documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from local.providers.recorded import NOTHING, Recording


@dataclass(frozen=True)
class Type(Recording):
    defaults: Mapping[str, object] = NOTHING
    honours: frozenset[str] | None = None


CONTAINER = "template.containers"
SOURCE = f"{CONTAINER}.sourceCode.cloudStorageSource"
SERVICE = frozenset(
    {
        *("name", "location", "project", "deletionProtection", "deletionPolicy"),
        *("traffics.type", "traffics.revision", "traffics.percent", "traffics.tag"),
        *("scaling.minInstanceCount", "scaling.maxInstanceCount", "template.scaling.maxInstanceCount"),
        *("template.revision", "template.annotations", "template.timeout", "template.maxInstanceRequestConcurrency"),
        *(f"{CONTAINER}.commands", f"{CONTAINER}.args", f"{CONTAINER}.envs.name", f"{CONTAINER}.envs.value"),
        *(f"{CONTAINER}.envs.valueSource.secretKeyRef.{name}" for name in ("secret", "version")),
        *(f"{SOURCE}.bucket", f"{SOURCE}.object", f"{SOURCE}.generation"),
        f"{CONTAINER}.startupProbe.httpGet.path",
        *(f"{CONTAINER}.startupProbe.{name}Seconds" for name in ("initialDelay", "period", "timeout")),
        f"{CONTAINER}.startupProbe.failureThreshold",
    }
)
"""The inputs that the laptop's Cloud Run acts on (local/cloud/gcp/cloud_run/spec.py)."""

SERVICE_RECORDED = frozenset(
    {
        *("description", "labels", "ingress", "invokerIamDisabled", "defaultUriDisabled"),
        *("template.labels", "template.serviceAccount"),
        *(f"{CONTAINER}.{name}" for name in ("image", "baseImageUri", "resources", "livenessProbe")),
    }
)
"""The inputs that it only records: the laptop has one Python, no service accounts and no ingress from the internet."""

TYPES = {
    "gcp:cloudrunv2/service:Service": Type(
        "projects/{project}/locations/{location}/services/{name}",
        defaults={"deletionProtection": True},
        honours=SERVICE | SERVICE_RECORDED,
    ),
    "gcp:firestore/database:Database": Type(
        "projects/{project}/databases/{name}",
        defaults={"deletionPolicy": "ABANDON"},
    ),
    "gcp:secretmanager/secret:Secret": Type("projects/{project}/secrets/{secretId}"),
    "gcp:secretmanager/secretVersion:SecretVersion": Type(
        "{secret}/versions/{unique}",
        honours=frozenset({"secret", "secretData", "isSecretDataBase64", "enabled", "deletionPolicy"}),
    ),
    "gcp:storage/bucket:Bucket": Type("{name}"),
    "gcp:storage/bucketObject:BucketObject": Type("{bucket}-{name}"),
}
