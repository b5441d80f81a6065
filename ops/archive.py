"""The archive of a stack's artifact in its bucket: app.zip on AWS, app.tar.gz on Google Cloud."""

import base64
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from ops.stack import Stack, UsageError

CHUNK = 1024 * 1024  # bytes


def download(stack: Stack, digest: str, folder: Path) -> Path:
    """The archive of an artifact that ran there, as `folder`/<hex>/app.zip or app.tar.gz. Raises UsageError.

    The file is whole whenever it exists.
    """
    target = folder / _hex(digest) / f"app.{_suffix(stack)}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete_on_close=False) as file:
            for chunk in _content(stack, digest):
                file.write(chunk)
            file.close()
            Path(file.name).replace(target)
    except OSError as error:  # such as of a full disk
        raise UsageError(f"{target} cannot be written: {error.strerror}") from None
    return target


def check_arrival(stack: Stack, archive: Path) -> None:
    """Raises UsageError unless the stack's bucket has exactly these bytes, and on AWS its newest version runs them.

    The artifact is that of the output `artifactDigest`.
    """
    with archive.open("rb") as file:
        sent = hashlib.file_digest(file, "sha256")
    if stack.output("cloud") == "aws":
        _check_version(stack, base64.b64encode(sent.digest()).decode())
    digest, arrived = stack.output("artifactDigest"), hashlib.sha256()
    for chunk in _content(stack, digest):
        arrived.update(chunk)
    if arrived.digest() != sent.digest():
        where = f"{_key(stack, digest)} in bucket {stack.output('bucket')}"
        raise UsageError(f"{stack.title}: {where} is not {archive}: its SHA-256 is {arrived.hexdigest()}")


def _check_version(stack: Stack, code_sha256: str) -> None:
    from ops import aws  # late, because importing botocore takes 0.2 s

    name, version = stack.output("service"), stack.output("revision")
    with aws.errors(stack), closing(aws.client(stack, "lambda")) as functions:
        found = functions.get_function_configuration(FunctionName=name, Qualifier=version)
    aws.must_be_in_account(stack, found["FunctionArn"].split(":")[4])
    if found["CodeSha256"] != code_sha256:
        raise UsageError(
            f"{stack.title}: version {version} of {name} has the code {found['CodeSha256']}, not {code_sha256}"
        )


def _content(stack: Stack, digest: str) -> Iterator[bytes]:
    """Raises UsageError."""
    return (_s3 if stack.output("cloud") == "aws" else _google_storage)(stack, _key(stack, digest))


def _s3(stack: Stack, key: str) -> Iterator[bytes]:
    from ops import aws  # late, because importing botocore takes 0.2 s

    with aws.errors(stack), closing(aws.client(stack, "s3")) as s3:
        owner = stack.output("account")
        found = s3.get_object(Bucket=stack.output("bucket"), Key=key, ExpectedBucketOwner=owner)
        yield from found["Body"].iter_chunks(CHUNK)


def _google_storage(stack: Stack, key: str) -> Iterator[bytes]:
    """https://cloud.google.com/storage/docs/json_api/v1/objects/get"""
    from ops import google  # late, because importing google.auth takes as long

    path = f"/storage/v1/b/{stack.output('bucket')}/o/{quote(key, safe='')}?alt=media"
    with google.errors(stack), google.client(stack, "storage") as storage:
        yield google.ask(storage, "GET", path).content


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _suffix(stack: Stack) -> str:
    return "zip" if stack.output("cloud") == "aws" else "tar.gz"


def _key(stack: Stack, digest: str) -> str:
    return f"{_hex(digest)}.{_suffix(stack)}"
