"""The provider resource, for programs that configure Momento in code."""

import pulumi

from pulumi_momento._plugin import with_plugin


class Provider(pulumi.ProviderResource):
    """A Momento account: `Cache(..., opts=pulumi.ResourceOptions(provider=Provider(...)))`."""

    def __init__(
        self,
        resource_name: str,
        api_key: pulumi.Input[str] | None = None,
        endpoint: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        :param api_key: A Momento v2 API key that may manage caches; kept as a secret. Defaults to the environment
            variable MOMENTO_API_KEY.
        :param endpoint: The host of a region, all of which are AWS's, that Momento's console shows with the key, or
            `http://host:port` for a Momento Local (plaintext). Defaults to the environment variable MOMENTO_ENDPOINT.
        """
        secret = None if api_key is None else pulumi.Output.secret(api_key)
        super().__init__("momento", resource_name, {"apiKey": secret, "endpoint": endpoint}, with_plugin(opts))
