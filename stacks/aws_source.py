"""The bucket with the function's code: the artifact's archive."""

from typing import Any

import pulumi
from pulumi_aws import s3

from stacks.archive_file import Archive
from stacks.config import StackConfig

CODE = ("s3_bucket", "s3_key", "code_sha256")
"""The function's inputs that say where its code is."""


def source(
    config: StackConfig, archive: Archive | None, opts: pulumi.ResourceOptions
) -> tuple[s3.Bucket, dict[str, Any]]:
    """The bucket with the archives, and the function's inputs CODE for this one; none without an archive.

    The code is in a bucket so that the state refers to it by strings. If it were uploaded with the function, the state
    would contain a path that must exist at every later `up`, even on machines that never built it, and `ignore_changes`
    does not help (https://github.com/pulumi/pulumi/issues/5066). Lambda copies the archive, so versions outlive it.
    """
    bucket = s3.Bucket("source", bucket_prefix=f"{config.name}-", force_destroy=True, tags=config.tags, opts=opts)
    s3.BucketPublicAccessBlock(
        "source",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    if not archive:
        return bucket, {}
    uploaded = s3.BucketObjectv2(
        "source",
        bucket=bucket.bucket,
        key=f"{archive.digest.removeprefix('sha256:')}.zip",
        source=pulumi.FileAsset(str(archive.path)),
        content_type="application/zip",
        tags=config.tags,
        # `make promote` takes it from here to other stacks.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True)),
    )
    # The hash is for drift detection, which finds other code by it.
    return bucket, dict(zip(CODE, (uploaded.bucket, uploaded.key, archive.sha256), strict=True))
