"""What Google Cloud's resources compute from their inputs. Names and shapes are the provider's."""

import base64
import hashlib
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any, cast

import google_crc32c

from local.cloud.gcp.cloud_run.services import Service

type Properties = dict[str, Any]

crc32c = cast(Callable[[bytes], int], google_crc32c.value)  # pyright: ignore[reportUnknownMemberType]
PROJECT_NUMBER = "123456789012"


def service(inputs: Properties, old: Properties | None, running: Service) -> Properties:
    """gcp:cloudrunv2/service:Service"""
    parent = f"projects/{inputs['project']}/locations/{inputs['location']}"
    id = f"{parent}/services/{inputs['name']}"
    latest = f"{id}/revisions/{running.latest.name}"
    generation = str(int(old["generation"]) + 1) if old else "1"
    ready = {"type": "Ready", "state": "CONDITION_SUCCEEDED", "lastTransitionTime": _now()}
    return _born(old) | {
        "id": id,
        "uri": running.listener.url,
        "urls": [running.listener.url],
        "generation": generation,
        "observedGeneration": generation,
        "latestCreatedRevision": latest,
        "latestReadyRevision": latest,
        "terminalConditions": [ready],
        "conditions": [ready],
        "reconciling": False,
        "trafficStatuses": [
            {"revision": name, "percent": percent, "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"}
            for name, percent in running.split().items()
        ],
        "updateTime": _now(),
    }


def bucket_object(inputs: Properties, content: bytes) -> Properties:
    """gcp:storage/bucketObject:BucketObject; every upload is a new generation, a number of microseconds."""
    name = inputs["name"]
    link = f"https://www.googleapis.com/storage/v1/b/{inputs['bucket']}/o/{name}"
    return {
        "id": f"{inputs['bucket']}-{name}",
        "outputName": name,
        "generation": time.time_ns() // 1000,
        "md5hash": base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
        "md5hexhash": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "crc32c": base64.b64encode(crc32c(content).to_bytes(4, "big")).decode(),
        "contentType": inputs.get("contentType") or "application/octet-stream",
        "storageClass": inputs.get("storageClass") or "STANDARD",
        "selfLink": link,
        "mediaLink": f"https://storage.googleapis.com/download/storage/v1/b/{inputs['bucket']}/o/{name}?alt=media",
    }


def secret_version(inputs: Properties, old: Properties | None, number: int) -> Properties:
    """gcp:secretmanager/secretVersion:SecretVersion"""
    version = old["version"] if old else str(number)
    name = f"{inputs['secret']}/versions/{version}"
    return {"id": name, "name": name, "version": version, "createTime": old["createTime"] if old else _now()}


def simple(type: str, id: str, inputs: Properties, old: Properties | None) -> Properties:
    """The resources that are nothing but themselves."""
    project, name = inputs.get("project"), inputs.get("name")
    match type:
        case "gcp:storage/bucket:Bucket":
            link = f"https://www.googleapis.com/storage/v1/b/{name}"
            return _times(old) | {
                "id": name,
                "url": f"gs://{name}",
                "selfLink": link,
                "projectNumber": int(PROJECT_NUMBER),
            }
        case "gcp:secretmanager/secret:Secret":
            id = f"projects/{project}/secrets/{inputs['secretId']}"
            return {"id": id, "name": id, "createTime": old["createTime"] if old else _now()}
        case "gcp:serviceaccount/account:Account" | "gcp:serviceAccount/account:Account":
            email = f"{inputs['accountId']}@{project}.iam.gserviceaccount.com"
            id = f"projects/{project}/serviceAccounts/{email}"
            unique = old["uniqueId"] if old else str(secrets.randbelow(10**20) + 10**20)
            return {"id": id, "name": id, "email": email, "member": f"serviceAccount:{email}", "uniqueId": unique}
        case "gcp:firestore/database:Database":
            id = f"projects/{project}/databases/{name}"
            recovery = inputs.get("pointInTimeRecoveryEnablement") == "POINT_IN_TIME_RECOVERY_ENABLED"
            kept = "604800s" if recovery else "3600s"
            return _born(old) | {"id": id, "earliestVersionTime": _now(), "versionRetentionPeriod": kept}
        case "gcp:firestore/backupSchedule:BackupSchedule":
            return {"name": id}
        case "gcp:monitoring/alertPolicy:AlertPolicy" | "gcp:monitoring/notificationChannel:NotificationChannel":
            return {"id": id, "name": id}
        case "gcp:logging/projectBucketConfig:ProjectBucketConfig":
            return {"id": id, "name": id, "lifecycleState": "ACTIVE"}
        case "gcp:logging/projectSink:ProjectSink":
            return {"id": id, "writerIdentity": ""}  # nobody's, as the log bucket is in the same project
        case "gcp:cloudrun/domainMapping:DomainMapping":
            records = [{"name": str(name).partition(".")[0], "rrdata": "ghs.googlehosted.com.", "type": "CNAME"}]
            return {"statuses": [{"mappedRouteName": inputs["spec"]["routeName"], "resourceRecords": records}]}
        case "gcp:projects/service:Service":
            return {"id": f"{project}/{inputs['service']}"}
        case _ if "role" in inputs and ("member" in inputs or "members" in inputs):
            return {"etag": old["etag"] if old else _etag()}
        case _:
            return {}


def _born(old: Properties | None) -> Properties:
    """What a resource gets when it is made and keeps; its etag changes with every update."""
    kept = (
        {name: old[name] for name in ("uid", "createTime")} if old else {"uid": str(uuid.uuid4()), "createTime": _now()}
    )
    return kept | {"etag": _etag()}


def _times(old: Properties | None) -> Properties:
    return {"timeCreated": old["timeCreated"] if old else _now(), "updated": _now()}


def _etag() -> str:
    return f'"{secrets.token_urlsafe(12)}"'


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
