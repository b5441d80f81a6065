"""Deletes the published versions of a stack's Lambda function that have no traffic and cannot get it back."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from ops import aws
from ops.stack import Stack

# Of a GB-second in us-east-1, for Python: https://aws.amazon.com/lambda/pricing/
SNAPSHOT_PRICE = 0.0000015046  # dollars
MONTH = 30 * 24 * 60 * 60  # seconds


def prune(stack: Stack) -> Iterator[str]:
    """Delete the versions, and yield a line for each, and for what they cost if they had snapshots of SnapStart.

    What the stack's outputs name stays: the versions with traffic, and the releases that it may go back to. So does
    what is newer, since a deployment that is under way may have published it. Raises UsageError.
    """
    name, megabytes = stack.output("service"), 0
    with aws.errors(stack), closing(aws.client(stack, "lambda")) as functions:
        for version in _old_versions(functions, stack):
            number = version["Version"]
            try:
                functions.delete_function(FunctionName=name, Qualifier=number)
            except functions.exceptions.ResourceNotFoundException:
                continue
            except functions.exceptions.ResourceConflictException as error:  # an alias leads to it
                yield f"kept version {number} of {name}: {error.response['Error']['Message']}"
                continue
            yield f"deleted version {number} of {name}"
            if version.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions":
                megabytes += version["MemorySize"]
    if megabytes:
        dollars = megabytes / 1024 * MONTH * SNAPSHOT_PRICE
        yield f"their snapshots cost ${dollars:.2f} a month, at the price of us-east-1"


def _old_versions(functions: Any, stack: Stack) -> list[Mapping[str, Any]]:
    """Raises UsageError if the credentials are for another account, which may have a function of the same name."""
    kept = {stack.output("revision"), stack.output("stableRevision")}
    kept |= {release["revision"] for release in stack.output("releases")}
    newest = max(map(int, kept))
    pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=stack.output("service"))
    versions = [version for page in pages for version in page["Versions"] if version["Version"] != "$LATEST"]
    for version in versions:
        aws.must_be_in_account(stack, version["FunctionArn"].split(":")[4])
    return [one for one in versions if one["Version"] not in kept and int(one["Version"]) < newest]
