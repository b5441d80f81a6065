"""The GCP resource types of the laptop: what their ids look like and what cannot change in place.

Ids are from the real provider's documentation, under "Import". What cannot change is what its sources call `immutable`
or `ForceNew` (github.com/GoogleCloudPlatform/magic-modules, d57784406a, 2026-08-21): no package carries it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Type:
    identifier: str
    """A format of input properties; `{unique}` is what the cloud would number."""
    replaces: frozenset[str]
    autoname: str | None = "name"
    parent: str | None = None
    """The input that names the resource which this is a part of, by its name or its whole id."""
    defaults: Mapping[str, Any] = MappingProxyType({})
    honours: frozenset[str] | None = None
    """As of a resource. None is for types that the laptop only keeps, with all inputs."""


def _forced(*names: str) -> frozenset[str]:
    return frozenset({"project", *names})


def _member(of: str, parent: str | None = None) -> Type:
    forced = _forced("location", "role", "member", "condition", *([parent] if parent else []))
    return Type(f"{of}/{{role}}/{{member}}", forced, autoname=None, parent=parent)


CONTAINER = "template.containers"
SOURCE = f"{CONTAINER}.sourceCode.cloudStorageSource"
SERVICE = frozenset(
    {
        *("name", "location", "project", "deletionProtection", "deletionPolicy"),
        *("traffics.type", "traffics.revision", "traffics.percent"),
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
"""What the laptop's Cloud Run acts on (local/cloud/gcp/cloud_run/spec.py)."""

SERVICE_KEPT = frozenset(
    {
        *("description", "labels", "ingress", "invokerIamDisabled", "defaultUriDisabled"),
        *("template.labels", "template.serviceAccount"),
        *(f"{CONTAINER}.{name}" for name in ("image", "baseImageUri", "resources", "livenessProbe")),
    }
)
"""What it only keeps: the laptop has one Python, no service accounts and no internet in front."""

TYPES = {
    "gcp:cloudrun/domainMapping:DomainMapping": Type(
        "locations/{location}/namespaces/{project}/domainmappings/{name}",
        _forced("name", "location", "metadata", "spec"),
    ),
    "gcp:dns/recordSet:RecordSet": Type(
        "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
        _forced("name", "managedZone", "routingPolicy.healthCheck"),
    ),
    "gcp:cloudrunv2/service:Service": Type(
        "projects/{project}/locations/{location}/services/{name}",
        _forced("name", "location"),
        defaults=MappingProxyType({"deletionProtection": True}),
        honours=SERVICE | SERVICE_KEPT,
    ),
    "gcp:firestore/backupSchedule:BackupSchedule": Type(
        "projects/{project}/databases/{database}/backupSchedules/{unique}",
        _forced("database", "dailyRecurrence", "weeklyRecurrence"),
        autoname=None,
    ),
    "gcp:firestore/database:Database": Type(
        "projects/{project}/databases/{name}",
        _forced(
            *("name", "locationId", "cmekConfig", "databaseEdition", "tags"),
            *("firestoreDataAccessMode", "mongodbCompatibleDataAccessMode", "realtimeUpdatesMode"),
        ),
        defaults=MappingProxyType({"deletionPolicy": "ABANDON"}),
    ),
    "gcp:logging/metric:Metric": Type(
        "{name}", _forced("metricDescriptor.labels.key", "metricDescriptor.labels.valueType")
    ),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": Type(
        "projects/{project}/locations/{location}/buckets/{bucketId}", _forced("location", "bucketId"), autoname=None
    ),
    "gcp:logging/projectExclusion:ProjectExclusion": Type("projects/{project}/exclusions/{name}", _forced("name")),
    "gcp:logging/projectSink:ProjectSink": Type("projects/{project}/sinks/{name}", _forced("name")),
    "gcp:monitoring/alertPolicy:AlertPolicy": Type("projects/{project}/alertPolicies/{unique}", _forced()),
    "gcp:monitoring/dashboard:Dashboard": Type("projects/{project}/dashboards/{unique}", _forced()),
    "gcp:monitoring/notificationChannel:NotificationChannel": Type(
        "projects/{project}/notificationChannels/{unique}", _forced()
    ),
    "gcp:projects/iAMMember:IAMMember": _member("{project}"),
    "gcp:projects/service:Service": Type("{project}/{service}", _forced("service"), autoname=None),
    "gcp:secretmanager/secret:Secret": Type(
        "projects/{project}/secrets/{secretId}", _forced("secretId", "replication", "tags"), autoname=None
    ),
    "gcp:secretmanager/secretIamMember:SecretIamMember": _member("projects/{project}/secrets/{secretId}", "secretId"),
    "gcp:secretmanager/secretVersion:SecretVersion": Type(
        "{secret}/versions/{unique}",
        _forced("secret", "secretData", "isSecretDataBase64"),
        autoname=None,
        honours=frozenset({"secret", "secretData", "isSecretDataBase64", "enabled", "deletionPolicy"}),
    ),
    "gcp:serviceaccount/account:Account": Type(
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        _forced("accountId"),
        autoname=None,
    ),
    "gcp:storage/bucket:Bucket": Type(
        "{name}",
        _forced(
            *("name", "location", "enableObjectRetention", "hierarchicalNamespace"),
            "customPlacementConfig.dataLocations",
        ),
    ),
    "gcp:storage/bucketObject:BucketObject": Type(
        "{bucket}-{name}",
        _forced(
            *("bucket", "name", "source", "storageClass", "metadata", "kmsKeyName", "customerEncryption"),
            *("cacheControl", "contentType", "contentDisposition", "contentEncoding", "contentLanguage"),
            "forceEmptyContentType",
        ),
    ),
}
