"""Momento caches as Pulumi resources.

    import pulumi_momento as momento

    users = momento.Cache("users")
    pulumi.export("cache", users.name)

The default provider reads the stack config `momento:apiKey` (a secret) and `momento:endpoint`, or the environment
variables MOMENTO_API_KEY and MOMENTO_ENDPOINT.
"""

from pulumi_momento.cache import Cache
from pulumi_momento.provider import Provider

__all__ = ["Cache", "Provider"]
