"""Google Cloud resource types without behaviour on the laptop.

Ids come from "Import" in the real provider's documentation. Inputs that force a replacement are `immutable` or
`ForceNew` in its sources (github.com/GoogleCloudPlatform/magic-modules, d57784406a, 2026-08-21); no package has them.
"""

from collections.abc import Mapping

from local.providers import sdk
from local.providers.recorded import Recording

PLACES = ("location", "region", "zone")


def fixed(*names: str) -> frozenset[str]:
    return frozenset({"project", *names})


def _member(of: str, parent: str | None = None) -> Recording:
    replaces = fixed("location", "role", "member", "condition", *([parent] if parent else []))
    return Recording(f"{of}/{{role}}/{{member}}", replaces, parent=parent)


ACCOUNT = "{accountId}@{project}.iam.gserviceaccount.com"
POOLS = "projects/123456789012/locations/global/workloadIdentityPools"  # by the project's number

RECORDINGS: Mapping[str, Recording] = {
    "gcp:cloudrun/domainMapping:DomainMapping": Recording(
        "locations/{location}/namespaces/{project}/domainmappings/{name}",
        fixed("name", "location", "metadata", "spec"),
        {
            "statuses": [
                {
                    "mappedRouteName": "{spec[routeName]}",
                    "resourceRecords": [{"name": "{name}", "rrdata": "ghs.googlehosted.com.", "type": "CNAME"}],
                }
            ]
        },
    ),
    "gcp:dns/recordSet:RecordSet": Recording(
        "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
        fixed("name", "managedZone", "routingPolicy.healthCheck"),
    ),
    "gcp:firestore/backupSchedule:BackupSchedule": Recording(
        "projects/{project}/databases/{database}/backupSchedules/{unique}",
        fixed("database", "dailyRecurrence", "weeklyRecurrence"),
    ),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": Recording(
        "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
        fixed("workloadIdentityPoolId", "mode"),
        {"name": f"{POOLS}/{{workloadIdentityPoolId}}"},
    ),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": Recording(
        "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
        "/providers/{workloadIdentityPoolProviderId}",
        fixed("workloadIdentityPoolId", "workloadIdentityPoolProviderId"),
        {"name": f"{POOLS}/{{workloadIdentityPoolId}}/providers/{{workloadIdentityPoolProviderId}}"},
    ),
    "gcp:kms/cryptoKey:CryptoKey": Recording(
        "{keyRing}/cryptoKeys/{name}",
        fixed("keyRing", "name", "purpose", "importOnly", "skipInitialVersionCreation", "destroyScheduledDuration"),
    ),
    "gcp:kms/keyRing:KeyRing": Recording(
        "projects/{project}/locations/{location}/keyRings/{name}", fixed("location", "name")
    ),
    "gcp:logging/metric:Metric": Recording(
        "{name}", fixed("metricDescriptor.labels.key", "metricDescriptor.labels.valueType")
    ),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": Recording(
        "projects/{project}/locations/{location}/buckets/{bucketId}",
        fixed("location", "bucketId"),
        {"lifecycleState": "ACTIVE"},
    ),
    "gcp:logging/projectExclusion:ProjectExclusion": Recording("projects/{project}/exclusions/{name}", fixed("name")),
    "gcp:logging/projectSink:ProjectSink": Recording(
        "projects/{project}/sinks/{name}",
        fixed("name"),
        {"writerIdentity": ""},  # empty for a log bucket in the same project
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": Recording("projects/{project}/alertPolicies/{unique}", fixed()),
    "gcp:monitoring/dashboard:Dashboard": Recording("projects/{project}/dashboards/{unique}", fixed()),
    "gcp:monitoring/notificationChannel:NotificationChannel": Recording(
        "projects/{project}/notificationChannels/{unique}", fixed()
    ),
    "gcp:projects/iAMMember:IAMMember": _member("{project}"),
    "gcp:projects/service:Service": Recording("{project}/{service}", fixed("service")),
    "gcp:secretmanager/secretIamMember:SecretIamMember": _member("projects/{project}/secrets/{secretId}", "secretId"),
    "gcp:serviceaccount/account:Account": Recording(
        f"projects/{{project}}/serviceAccounts/{ACCOUNT}",
        fixed("accountId"),
        {"email": ACCOUNT, "member": f"serviceAccount:{ACCOUNT}", "uniqueId": "{unique}"},
    ),
}


def recording(token: str) -> Recording:
    """The recording of any type. The id of an unlisted type consists of its place and its name."""
    if token in RECORDINGS:
        return RECORDINGS[token]
    known = sdk.properties(sdk.args_type(token))
    places = [f"{place}s/{{{place}}}" for place in ("project", *PLACES) if place in known]
    kind = token.split(":")[1].rpartition("/")[2]
    name = "{name}" if sdk.takes_text(known.get("name")) else "{unique}"
    return Recording("/".join([*places, f"{kind}s/{name}"]), fixed("name", *PLACES))
