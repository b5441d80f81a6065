"""Secrets that are not in the environment."""

from contextlib import closing
from typing import TYPE_CHECKING, Any

from app.settings import CacheSettings

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient


# One attempt of 1.5 s: whoever needs the secret asks again anyway.
LIMITS: dict[str, Any] = {"connect_timeout": 0.5, "read_timeout": 1, "retries": {"total_max_attempts": 1}}


class SecretUnavailable(Exception):
    """The secret could not be read; the message names it, and never holds it."""


def momento_api_key(settings: CacheSettings) -> str:
    """The key itself, or what the SSM parameter holds. Raises SecretUnavailable."""
    if settings.api_key is not None:
        return settings.api_key
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    name = settings.api_key_parameter or ""
    try:
        client: SSMClient = boto3.client("ssm", settings.aws_region, config=Config(**LIMITS))  # pyright: ignore[reportUnknownMemberType]
        with closing(client):
            answer = client.get_parameter(Name=name, WithDecryption=True)
    except (BotoCoreError, ClientError) as error:
        raise SecretUnavailable(f"SSM parameter {name}: {error}") from None
    return answer["Parameter"].get("Value", "")
