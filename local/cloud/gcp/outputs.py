"""The computed outputs of Google Cloud's resources, in the real provider's names and shapes."""

import base64
import hashlib
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any, cast

import google_crc32c

from local.cloud.gcp.cloud_run.service import Service
from local.cloud.gcp.cloud_run.spec import Target

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
    return _identity(old) | {
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
        "trafficStatuses": [_traffic_status(target, running) for target in running.traffic],
        "updateTime": _now(),
    }


def _traffic_status(target: Target, running: Service) -> Properties:
    """https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services#traffictargetstatus"""
    return {
        "type": f"TRAFFIC_TARGET_ALLOCATION_TYPE_{'REVISION' if target.revision else 'LATEST'}",
        "revision": target.revision or "",
        "percent": target.percent,
        "tag": target.tag or "",
        "uri": running.tagged[target.tag].url if target.tag else "",
    }


def bucket_object(inputs: Properties, content: bytes) -> Properties:
    """gcp:storage/bucketObject:BucketObject; every upload has a new generation, a time in microseconds."""
    name = inputs["name"]
    md5 = hashlib.md5(content, usedforsecurity=False)
    link = f"https://www.googleapis.com/storage/v1/b/{inputs['bucket']}/o/{name}"
    return {
        "id": f"{inputs['bucket']}-{name}",
        "outputName": name,
        "generation": time.time_ns() // 1000,
        "md5hash": base64.b64encode(md5.digest()).decode(),
        "md5hexhash": md5.hexdigest(),
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


def bucket(inputs: Properties, old: Properties | None) -> Properties:
    """gcp:storage/bucket:Bucket"""
    name = inputs["name"]
    return {
        "id": name,
        "url": f"gs://{name}",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
        "projectNumber": int(PROJECT_NUMBER),
        "timeCreated": old["timeCreated"] if old else _now(),
        "updated": _now(),
    }


def secret(inputs: Properties, old: Properties | None) -> Properties:
    """gcp:secretmanager/secret:Secret"""
    id = f"projects/{inputs['project']}/secrets/{inputs['secretId']}"
    return {"id": id, "name": id, "createTime": old["createTime"] if old else _now()}


def database(inputs: Properties, old: Properties | None) -> Properties:
    """gcp:firestore/database:Database"""
    recovery = inputs.get("pointInTimeRecoveryEnablement") == "POINT_IN_TIME_RECOVERY_ENABLED"
    return _identity(old) | {
        "id": f"projects/{inputs['project']}/databases/{inputs['name']}",
        "earliestVersionTime": _now(),
        "versionRetentionPeriod": "604800s" if recovery else "3600s",
    }


def _identity(old: Properties | None) -> Properties:
    """A uid and a creation time, which never change, and an etag, which every update changes."""
    new = {"uid": str(uuid.uuid4()), "createTime": _now()}
    return {name: old[name] if old else value for name, value in new.items()} | {"etag": secrets.token_urlsafe(12)}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
