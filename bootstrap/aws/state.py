"""The bucket for Pulumi's state, and the key that encrypts it and is Pulumi's secrets provider."""

from typing import NamedTuple

import pulumi
from pulumi_aws import kms, s3

KEPT_DAYS = 90
"""How long an old version of a state is kept. Locks, which are deleted after each update, leave versions as well."""


class State(NamedTuple):
    bucket: str
    key_arn: pulumi.Output[str]
    backend: str
    """For PULUMI_BACKEND_URL: https://www.pulumi.com/docs/iac/concepts/state-and-backends/#aws-s3"""
    secrets_provider: str
    """For `pulumi stack init --secrets-provider`."""


def make_state(project: str, account: str, region: str, tags: dict[str, str]) -> State:
    """The bucket and the key, which `pulumi destroy` refuses to delete.

    The bucket is not named like those of the stacks, which a deployer may delete.
    """
    protected = pulumi.ResourceOptions(protect=True)
    key = kms.Key(
        "state",
        description=f"Pulumi state and secrets of {project}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        tags=tags,
        opts=protected,
    )
    alias = f"alias/{project}"
    kms.Alias("state", name=alias, target_key_id=key.key_id)
    name = f"state-{project}-{account}-{region}"
    bucket = s3.Bucket("state", bucket=name, tags=tags, opts=protected)
    _encrypt_and_version(bucket, key)
    _close(bucket)
    return State(name, key.arn, f"s3://{name}?region={region}", f"awskms://{alias}?region={region}")


def _encrypt_and_version(bucket: s3.Bucket, key: kms.Key) -> None:
    s3.BucketServerSideEncryptionConfiguration(
        "state",
        bucket=bucket.bucket,
        rules=[
            {
                "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn},
                "bucket_key_enabled": True,
            }
        ],
    )
    versioning = s3.BucketVersioning("state", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"})
    s3.BucketLifecycleConfiguration(
        "state",
        bucket=bucket.bucket,
        rules=[
            {
                "id": "old-versions",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "noncurrent_version_expiration": {"noncurrent_days": KEPT_DAYS},
                "expiration": {"expired_object_delete_marker": True},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
            }
        ],
        opts=pulumi.ResourceOptions(depends_on=[versioning]),
    )


def _close(bucket: s3.Bucket) -> None:
    """Deny public access, and access without TLS."""
    block = s3.BucketPublicAccessBlock(
        "state",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    without_tls = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket.arn, pulumi.Output.concat(bucket.arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.BucketPolicy(
        "state",
        bucket=bucket.bucket,
        policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [without_tls]}),
        opts=pulumi.ResourceOptions(depends_on=[block]),  # AWS refuses two changes of a bucket's access at a time
    )
