"""Google Cloud resource types without behaviour on the laptop.

Ids come from "Import" in the real provider's documentation.
"""

from collections.abc import Mapping

from local.providers import sdk
from local.providers.recorded import Recording

PLACES = ("location", "region", "zone")
ACCOUNT = "{accountId}@{project}.iam.gserviceaccount.com"
POOLS = "projects/123456789012/locations/global/workloadIdentityPools"  # by the project's number

RECORDINGS: Mapping[str, Recording] = {
    "gcp:cloudrun/domainMapping:DomainMapping": Recording(
        "locations/{location}/namespaces/{project}/domainmappings/{name}",
        outputs={
            "statuses": [
                {
                    "mappedRouteName": "{spec[routeName]}",
                    "resourceRecords": [{"name": "{name}", "rrdata": "ghs.googlehosted.com.", "type": "CNAME"}],
                }
            ]
        },
    ),
    "gcp:dns/recordSet:RecordSet": Recording("projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}"),
    "gcp:firestore/backupSchedule:BackupSchedule": Recording(
        "projects/{project}/databases/{database}/backupSchedules/{unique}"
    ),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": Recording(
        "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
        outputs={"name": f"{POOLS}/{{workloadIdentityPoolId}}"},
    ),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": Recording(
        "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
        "/providers/{workloadIdentityPoolProviderId}",
        outputs={"name": f"{POOLS}/{{workloadIdentityPoolId}}/providers/{{workloadIdentityPoolProviderId}}"},
    ),
    "gcp:kms/cryptoKey:CryptoKey": Recording("{keyRing}/cryptoKeys/{name}"),
    "gcp:kms/keyRing:KeyRing": Recording("projects/{project}/locations/{location}/keyRings/{name}"),
    "gcp:logging/metric:Metric": Recording("{name}"),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": Recording(
        "projects/{project}/locations/{location}/buckets/{bucketId}",
        outputs={"lifecycleState": "ACTIVE"},
    ),
    "gcp:logging/projectExclusion:ProjectExclusion": Recording("projects/{project}/exclusions/{name}"),
    "gcp:logging/projectSink:ProjectSink": Recording(
        "projects/{project}/sinks/{name}",
        outputs={"writerIdentity": ""},  # empty for a log bucket in the same project
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": Recording("projects/{project}/alertPolicies/{unique}"),
    "gcp:monitoring/dashboard:Dashboard": Recording("projects/{project}/dashboards/{unique}"),
    "gcp:monitoring/notificationChannel:NotificationChannel": Recording(
        "projects/{project}/notificationChannels/{unique}"
    ),
    "gcp:projects/iAMMember:IAMMember": Recording("{project}/{role}/{member}"),
    "gcp:projects/service:Service": Recording("{project}/{service}"),
    "gcp:secretmanager/secretIamMember:SecretIamMember": Recording(
        "projects/{project}/secrets/{secretId}/{role}/{member}", parent="secretId"
    ),
    "gcp:serviceaccount/account:Account": Recording(
        f"projects/{{project}}/serviceAccounts/{ACCOUNT}",
        outputs={"email": ACCOUNT, "member": f"serviceAccount:{ACCOUNT}", "uniqueId": "{unique}"},
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
    return Recording("/".join([*places, f"{kind}s/{name}"]))
