"""Where Lambda takes the function's code from: the artifact's archive in a bucket."""

import pulumi
from pulumi_aws import s3

from stacks.artifact import Artifact
from stacks.config import StackConfig


def source(config: StackConfig, artifact: Artifact | None, opts: pulumi.ResourceOptions) -> s3.BucketObjectv2 | None:
    """The uploaded archive; None if nothing was built.

    A bucket, because the state then names the code by strings. Uploaded with the function itself, it would be a path
    that has to be there at every later `up`, also on machines that never built it, and `ignore_changes` does not help:
    https://github.com/pulumi/pulumi/issues/5066. Lambda copies the archive, so versions outlive it.
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
