"""The bucket with the service's source: the artifact's archive."""

import pulumi
from pulumi_gcp import storage
from pulumi_gcp.cloudrunv2 import ServiceTemplateContainerSourceCodeArgsDict

from stacks.archive_file import Archive
from stacks.config import StackConfig


def source(
    config: StackConfig, archive: Archive | None, opts: pulumi.ResourceOptions
) -> tuple[storage.Bucket, ServiceTemplateContainerSourceCodeArgsDict | None]:
    """The bucket with the archives, and the source in it; None without an archive.

    Cloud Run's service agent reads it by its role, roles/run.serviceAgent. Google grants that role, which allows
    reading all objects of the project, when the API is enabled
    (https://cloud.google.com/iam/docs/roles-permissions/run#run.serviceAgent).
    """
    bucket = storage.Bucket(
        "source",
        name=f"{config.gcp_project}-{config.name}",
        location=config.region,
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning={"enabled": True},  # revisions refer to a generation, and an archive may be uploaded again
        force_destroy=not config.protected,
        labels=config.tags,
        opts=opts,
    )
    if not archive:
        return bucket, None
    uploaded = storage.BucketObject(
        "source",
        bucket=bucket.name,
        name=f"{archive.digest.removeprefix('sha256:')}.tar.gz",
        source=pulumi.FileAsset(str(archive.path)),
        content_type="application/gzip",
        # `make promote` takes it from here to other stacks, and it is not documented that Cloud Run keeps a copy as
        # long as the revision.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True)),
    )
    generation = uploaded.generation.apply(str)
    return bucket, {
        "cloud_storage_source": {"bucket": uploaded.bucket, "object": uploaded.name, "generation": generation}
    }
