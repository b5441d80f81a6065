"""S3 buckets and their objects."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from local.providers.aws.cloud import AwsResource, arguments, tag_list, tag_map
from local.providers.resource import ProviderError
from local.providers.values import Asset, Props


class Bucket(AwsResource):
    """Its id is its name."""

    service = "s3"
    autoname = None  # the name is `bucket`, or `bucketPrefix` and a random suffix
    honours = frozenset({"bucket", "bucketPrefix", "forceDestroy", "tags"})
    replaces = frozenset({"bucket", "bucketPrefix"})

    def create(self, inputs: Props) -> str:
        name = inputs.get("bucket") or inputs.get("bucketPrefix", "") + os.urandom(8).hex()
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": self.cloud.region}}
        self.client.create_bucket(Bucket=name, **(elsewhere if self.cloud.region != "us-east-1" else {}))
        self._tag(name, inputs)
        return name

    def read(self, identifier: str, known: Props) -> Props | None:
        self.client.head_bucket(Bucket=identifier)
        return {
            "bucket": identifier,
            "arn": f"arn:aws:s3:::{identifier}",
            "bucketDomainName": f"{identifier}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{identifier}.s3.{self.cloud.region}.amazonaws.com",
            "tags": self._tags(identifier),
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        self._tag(identifier, news)

    def delete(self, identifier: str, known: Props) -> None:
        if known.get("forceDestroy"):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=identifier):
                for one in page.get("Contents", []):
                    self.client.delete_object(Bucket=identifier, Key=one["Key"])
        self.client.delete_bucket(Bucket=identifier)

    def _tag(self, name: str, inputs: Props) -> None:
        if tags := inputs.get("tags"):
            self.client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})
        else:
            self.client.delete_bucket_tagging(Bucket=name)

    def _tags(self, name: str) -> dict[str, str]:
        try:
            return tag_map(self.client.get_bucket_tagging(Bucket=name)["TagSet"])
        except self.client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchTagSet":
                raise
            return {}


class BucketObjectv2(AwsResource):
    """Its id is its bucket and key. Reading it returns the etag of its content, but not the source."""

    service = "s3"
    autoname = None
    honours = frozenset({"bucket", "key", "source", "contentType", "tags"})
    replaces = frozenset({"bucket", "key"})

    def create(self, inputs: Props) -> str:
        self.client.put_object(
            Bucket=inputs["bucket"],
            Key=inputs["key"],
            Body=_body(inputs),
            Tagging=urlencode(inputs.get("tags", {})),
            **arguments(["contentType"], inputs),
        )
        return f"{inputs['bucket']}/{inputs['key']}"

    def read(self, identifier: str, known: Props) -> Props | None:
        bucket, _, key = identifier.partition("/")
        head = self.client.head_object(Bucket=bucket, Key=key)
        return {
            "bucket": bucket,
            "key": key,
            "arn": f"arn:aws:s3:::{identifier}",
            "contentType": head["ContentType"],
            "etag": head["ETag"].strip('"'),
            "storageClass": head.get("StorageClass", "STANDARD"),
            "tags": tag_map(self.client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]),
        }

    def update(self, identifier: str, olds: Props, news: Props) -> None:
        self.create(news)

    def delete(self, identifier: str, known: Props) -> None:
        bucket, _, key = identifier.partition("/")
        self.client.delete_object(Bucket=bucket, Key=key)

    def unsettled(self, changed: set[str], news: Props) -> set[str]:
        return {"etag"} if "source" in changed else set()


def _body(inputs: Props) -> bytes:
    source: Any = inputs.get("source")
    if isinstance(source, Asset) and source.path:
        return Path(source.path).read_bytes()
    raise ProviderError(f"object {inputs['key']}: on the laptop, source must be a FileAsset")
