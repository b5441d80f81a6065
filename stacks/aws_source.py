"""The bucket with the function's code: the artifact's archive."""

import pulumi
from pulumi_aws import s3

from stacks.artifact import Artifact
from stacks.config import StackConfig


def source(config: StackConfig, artifact: Artifact | None, opts: pulumi.ResourceOptions) -> s3.BucketObjectv2 | None:
    """The uploaded archive; None if nothing was built.

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
    if not artifact:
        return None
    return s3.BucketObjectv2(
        "source",
        bucket=bucket.bucket,
        key=f"{artifact.digest.removeprefix('sha256:')}.zip",
        source=pulumi.FileAsset(str(artifact.zip)),
        content_type="application/zip",
        tags=config.tags,
        opts=opts,
    )
