"""Clients of AWS: with the credentials of the stack's `aws:profile` or of the environment, or of the laptop's AWS."""

import importlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config  # pyright: ignore[reportMissingTypeStubs]
from botocore.exceptions import (  # pyright: ignore[reportMissingTypeStubs]
    BotoCoreError,
    ClientError,
    NoCredentialsError,
)

from ops.stack import Stack, UsageError, one_line

ATTEMPTS = 10


def client(stack: Stack, service: str, attempts: int = ATTEMPTS) -> Any:
    """A boto3 client in the stack's region, to be closed. Raises what `errors` translates.

    It repeats what AWS throttles, and what gets no answer.
    """
    profile = None if stack.laptop else stack.file()["config"].get("aws:profile")
    session: Any = importlib.import_module("boto3").Session(profile_name=profile)  # its types are not installed
    settings: dict[str, Any] = {"retries": {"mode": "standard", "total_max_attempts": attempts}}
    region = stack.output("region")
    if not stack.laptop:
        return session.client(service, region, config=Config(**settings))
    keys = {"aws_access_key_id": "laptop", "aws_secret_access_key": "laptop"}
    return session.client(service, region, endpoint_url=stack.laptop.aws, config=Config(**settings, proxies={}), **keys)


@contextmanager
def errors(stack: Stack) -> Generator[None]:
    """Turns errors of boto3 into UsageError. The block should contain nothing but calls of AWS."""
    account = stack.output("account")
    try:
        yield
    except (BotoCoreError, ClientError, OSError, ValueError) as error:  # the last two of broken AWS settings
        reason = one_line(error)
        raise UsageError(f"{stack.title}, account {account}: {reason}{_fix(error)}") from None


def arn(client: Any, stack: Stack, resource: str) -> str:
    """The ARN of a resource of the client's service, which credentials for another account do not reach."""
    service = client.meta.service_model.service_name
    return f"arn:{client.meta.partition}:{service}:{stack.output('region')}:{stack.output('account')}:{resource}"


def must_be_in_account(stack: Stack, other: str) -> None:
    """Raises UsageError if the credentials are for another account, which may have resources of the same names."""
    if other != (account := stack.output("account")):
        raise UsageError(f"{stack.title} is in account {account}, but the credentials are for account {other}")


def code_of(error: ClientError) -> str:
    """The error's code, such as AccessDeniedException."""
    response: dict[str, Any] = error.response  # pyright: ignore[reportUnknownMemberType, reportAssignmentType]
    return response.get("Error", {}).get("Code", "")


def _fix(error: Exception) -> str:
    if isinstance(error, NoCredentialsError):
        return ": log in, or set AWS_PROFILE"
    if isinstance(error, ClientError) and code_of(error).startswith("AccessDenied"):
        return " (docs/deployer.md lists the permissions)"
    return ""
