"""The provider's settings: from the stack config or the provider's arguments, else from environment variables."""

import dataclasses
import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from momento import CredentialProvider
from momento.errors import InvalidArgumentException


class InvalidSetting(Exception):
    """The message is one line with the setting, the problem and the fix."""


@dataclass(frozen=True)
class Settings:
    endpoint: str
    credentials: CredentialProvider

    @classmethod
    def read(cls, api_key: str, endpoint: str) -> "Settings":
        """Empty means not set. Raises InvalidSetting."""
        api_key = api_key or os.environ.get("MOMENTO_API_KEY", "")
        endpoint = endpoint or os.environ.get("MOMENTO_ENDPOINT", "")
        if not api_key:
            raise InvalidSetting(
                "momento:apiKey is missing: `pulumi config set --secret momento:apiKey`, or set MOMENTO_API_KEY"
            )
        if not endpoint:
            raise InvalidSetting(
                "momento:endpoint is missing: `pulumi config set momento:endpoint`, or set MOMENTO_ENDPOINT"
            )
        if endpoint.startswith("http://"):
            return cls(endpoint, _momento_local(api_key, endpoint))
        return cls(endpoint, _momento(api_key, endpoint))


def _momento_local(api_key: str, endpoint: str) -> CredentialProvider:
    try:
        url = urlsplit(endpoint)
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if not host or port is None:
        raise InvalidSetting(f"momento:endpoint {endpoint!r} must be http://host:port")
    return dataclasses.replace(CredentialProvider.for_momento_local(host, port), auth_token=api_key)


def _momento(api_key: str, endpoint: str) -> CredentialProvider:
    if not re.fullmatch(r"[A-Za-z0-9.-]+", endpoint):
        raise InvalidSetting(
            f"momento:endpoint {endpoint!r} must be the host from Momento's console, or http://host:port"
        )
    try:
        return CredentialProvider.from_api_key_v2(api_key, endpoint)
    except InvalidArgumentException:
        raise InvalidSetting("momento:apiKey is not a v2 API key: create one in Momento's console") from None
