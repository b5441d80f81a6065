"""The archive of a stack's artifact, from and to the laptop's S3 and Cloud Storage."""

import hashlib
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.archive import check_arrival, download
from ops.stack import Stack, UsageError
from tests.cloud.conftest import ROLE, Daemon, zipped
from tests.cloud.test_cloud_run import OBJECT, Cloud, cloud
from tests.cloud.test_cloud_run_log import stack_of as google_stack_of
from tests.cloud.test_lambda_log import stack_of as aws_stack_of

__all__ = ["cloud"]

HEX = "ab" * 32
DIGEST = f"sha256:{HEX}"


@pytest.fixture
def aws(daemon: Daemon) -> Stack:
    """Version 1 of its function runs the archive in its bucket."""
    name, s3, functions = f"function-{uuid.uuid4().hex[:8]}", daemon.client("s3"), daemon.client("lambda")
    code = zipped("def handler(event, context): return 1")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=name, Key=f"{HEX}.zip", Body=code)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="main.handler",
        Code={"S3Bucket": name, "S3Key": f"{HEX}.zip"},
        Publish=True,
    )
    return aws_stack_of(daemon, name, bucket=name, artifactDigest=DIGEST, revision="1")


def stored(cloud: Cloud, content: bytes) -> Stack:
    """A stack with this archive in its bucket."""
    file = cloud.folder / "archive"
    file.write_bytes(content)
    inputs = {"bucket": cloud.name, "name": f"{HEX}.tar.gz"}
    cloud.put(OBJECT, cloud.name, inputs, source=str(file)).raise_for_status()
    return google_stack_of(cloud.daemon, cloud.name, bucket=cloud.name, artifactDigest=DIGEST)


def with_outputs(stack: Stack, **outputs: Any) -> Stack:
    return replace(stack, outputs={**stack.outputs, **outputs})


def test_what_is_downloaded_has_arrived(aws: Stack, cloud: Cloud, tmp_path: Path):
    google = stored(cloud, b"archive" * 400_000)
    for stack, name in (aws, "app.zip"), (google, "app.tar.gz"):
        archive = download(stack, DIGEST, tmp_path)
        assert archive == tmp_path / HEX / name
        check_arrival(stack, archive)
        assert download(stack, DIGEST, tmp_path) == archive, "again"
    assert sorted(file.name for file in (tmp_path / HEX).iterdir()) == ["app.tar.gz", "app.zip"]
    assert (tmp_path / HEX / "app.tar.gz").read_bytes() == b"archive" * 400_000


def test_a_missing_archive_leaves_no_file(aws: Stack, cloud: Cloud, tmp_path: Path):
    other = "cd" * 32
    for stack, reason in (aws, "NoSuchKey"), (stored(cloud, b"archive"), f"404, object gs://{cloud.name}/{other}"):
        with pytest.raises(UsageError, match=f"^stack {stack.output('service')} of the local clouds, .*{reason}"):
            download(stack, f"sha256:{other}", tmp_path / "promoted")
    assert not [file for file in (tmp_path / "promoted").rglob("*") if file.is_file()]


def test_other_bytes_are_refused(aws: Stack, cloud: Cloud, daemon: Daemon, tmp_path: Path):
    archives = [download(stack, DIGEST, tmp_path) for stack in (aws, stored(cloud, b"archive"))]
    daemon.client("s3").put_object(Bucket=aws.output("bucket"), Key=f"{HEX}.zip", Body=b"other")
    for stack, archive in zip([aws, stored(cloud, b"other")], archives, strict=True):
        found = hashlib.sha256(b"other").hexdigest()
        problem = f"bucket {stack.output('bucket')} is not {archive}: its SHA-256 is {found}"
        with pytest.raises(
            UsageError, match=f"^stack {stack.output('service')} of the local clouds: {HEX}.*{problem}$"
        ):
            check_arrival(stack, archive)


def test_a_version_with_other_code_is_refused(aws: Stack, daemon: Daemon, tmp_path: Path):
    archive = download(aws, DIGEST, tmp_path)
    other = zipped("def handler(event, context): return 2")
    functions = daemon.client("lambda")
    functions.update_function_code(FunctionName=aws.output("service"), ZipFile=other, Publish=True)
    check_arrival(aws, archive)
    with pytest.raises(UsageError, match=f"version 2 of {aws.output('service')} has the code .*, not "):
        check_arrival(with_outputs(aws, revision="2"), archive)


def test_another_account_is_refused(aws: Stack, tmp_path: Path):
    archive = download(aws, DIGEST, tmp_path)
    elsewhere = with_outputs(aws, account="999999999999")
    with pytest.raises(UsageError, match="is in account 999999999999, but the credentials are for account 12345678901"):
        check_arrival(elsewhere, archive)
